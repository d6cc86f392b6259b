"""When evidence on one condition speaks of another."""

from __future__ import annotations

import pytest

from correlations.bundled import ConditionLink
from correlations.condition_map import ConditionMap


def _link(narrower: str, broader: str, kind: str = "broader") -> ConditionLink:
    return ConditionLink(narrower, broader, kind, "reason", "source")


@pytest.fixture
def conditions() -> ConditionMap:
    return ConditionMap(
        [
            _link("toothache", "pain"),
            _link("migraine", "pain"),
            _link("hemiplegic migraine", "migraine"),
            _link("rare subtype", "hemiplegic migraine"),
            _link("insomnia (MeSH)", "insomnia (Mondo)", "same_as"),
        ]
    )


def test_a_condition_speaks_of_itself_without_a_step(conditions):
    match = conditions.match("gout", "gout")
    assert (match.distance, match.links) == (0, ())


def test_evidence_on_a_broader_condition_is_one_step_away(conditions):
    match = conditions.match("toothache", "pain")
    assert match.distance == 1
    assert [link.narrower for link in match.links] == ["toothache"]


def test_links_run_from_the_indication_to_the_condition(conditions):
    match = conditions.match("pain", "hemiplegic migraine")
    assert match.distance == 2
    assert [link.narrower for link in match.links] == ["migraine", "hemiplegic migraine"]


def test_two_kinds_of_one_condition_do_not_speak_of_each_other(conditions):
    assert conditions.match("toothache", "migraine") is None


def test_three_steps_are_too_far(conditions):
    assert conditions.match("pain", "rare subtype") is None


@pytest.mark.parametrize("pair", [("insomnia (MeSH)", "insomnia (Mondo)"), ("insomnia (Mondo)", "insomnia (MeSH)")])
def test_the_same_condition_in_two_vocabularies_counts_no_step(conditions, pair):
    assert conditions.match(*pair).distance == 0


def test_a_ring_of_links_ends():
    ring = ConditionMap([_link("a", "b", "same_as"), _link("b", "a", "same_as"), _link("a", "b")])
    match = ring.match("a", "b")
    assert match is not None
    assert match.distance == 0
