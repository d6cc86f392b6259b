"""What a process remembers of the answers it gave: no more than it may, no longer than it may."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from correlations.models import Practice
from correlations.vocabulary import Direction
from ethics.models import AuditEvent
from ethics.policy import Audience
from ethics.stewardship import item_record_objection
from genomepath import serving
from genomepath.answer_cache import RenderedAnswer
from genomepath.answer_memory import AnswerMemory, KnownAnswer
from genomepath.models import ModelVersion
from genomepath.serving import DEFAULT_TARGETS, PredictionQuestion, SubjectNotFound, memory, prediction_serve
from genomepath.validity import CATALOGUE_SECONDS
from tests.factories import make_catalogue

NOW = timezone.now()
END = NOW + timedelta(hours=1)
EDITED = 2
"""The revision of the catalogue after an edit; before it, it is 1."""


def an_answer(body: bytes = b"{}") -> RenderedAnswer:
    return RenderedAnswer(body, '"etag"', ["item"], ["community"], 1, END.isoformat())


class Remembered:
    """A memory of ten answers of a thousand bytes, asked at a revision and so many seconds after the start."""

    def __init__(self) -> None:
        self.memory = AnswerMemory(most_bytes=10 * 2024)
        self.generation = "now"
        self.get("nothing")

    def put(self, key: Hashable, body: bytes = b"{}", revision: int = 1, generation: str = "now") -> None:
        self.memory.put(generation, key, an_answer(body), catalogue=revision)

    def get(self, key: Hashable, revision: int = 1, after: float = 0.0) -> KnownAnswer | None:
        return self.memory.get(self.generation, key, catalogue=revision, now=NOW + timedelta(seconds=after))

    def has(self, key: Hashable, revision: int = 1, after: float = 0.0) -> bool:
        return self.get(key, revision, after) is not None

    def __len__(self) -> int:
        return len(self.memory)


@pytest.fixture
def remembered() -> Remembered:
    return Remembered()


def test_what_was_put_is_got(remembered):
    remembered.put("a")
    assert remembered.get("a") == KnownAnswer(an_answer(), is_due=False)
    assert remembered.get("b") is None


def test_an_answer_ends_with_its_last_moment(remembered):
    remembered.put("a")
    assert remembered.has("a", after=3599.9)
    assert not remembered.has("a", after=3600)
    assert len(remembered) == 0


def test_another_generation_empties_it(remembered):
    remembered.put("a")
    remembered.put("b")
    remembered.generation = "then"

    assert not remembered.has("a")
    assert len(remembered) == 0


def test_an_answer_of_a_generation_that_passed_while_it_was_rendered_is_not_kept(remembered):
    remembered.generation = "then"
    remembered.get("a")
    remembered.put("a")
    assert len(remembered) == 0


def test_an_outdated_answer_is_given_for_less_than_a_minute_after_the_last_moment_at_which_it_was_not(remembered):
    remembered.put("a")
    assert remembered.has("a", after=100)
    assert remembered.has("a", EDITED, after=150)
    assert remembered.has("a", EDITED, after=100 + CATALOGUE_SECONDS - 0.1)
    assert not remembered.has("a", EDITED, after=100 + CATALOGUE_SECONDS)


def test_an_answer_that_was_not_asked_for_within_a_minute_before_an_edit_is_not_given_after_it(remembered):
    remembered.put("a")
    assert not remembered.has("a", EDITED, after=CATALOGUE_SECONDS)


def test_further_edits_do_not_prolong_what_the_first_one_outdated(remembered):
    remembered.put("a")
    for second in range(CATALOGUE_SECONDS):
        assert remembered.has("a", EDITED + second, after=second)
    assert not remembered.has("a", EDITED + CATALOGUE_SECONDS, after=CATALOGUE_SECONDS)


def test_outdated_answers_fall_due_at_moments_spread_over_most_of_the_minute():
    due = []
    for _ in range(200):
        remembered = Remembered()
        remembered.put("a")
        found = [remembered.get("a", EDITED, after=second) for second in range(CATALOGUE_SECONDS)]
        due.append([entry is not None and entry.is_due for entry in found].index(True))
    assert min(due) < 5
    assert 45 < max(due) < CATALOGUE_SECONDS


def test_an_answer_of_the_present_revision_is_never_due(remembered):
    remembered.get("a", EDITED)
    remembered.put("a", revision=EDITED)
    assert remembered.get("a", EDITED, after=3599) == KnownAnswer(an_answer(), is_due=False)


def test_an_answer_of_a_revision_that_was_never_seen_as_the_present_one_is_not_given(remembered):
    remembered.get("a", EDITED)
    remembered.put("a", revision=1)
    assert remembered.has("a", EDITED)
    remembered.put("b", revision=EDITED + 1)
    assert not remembered.has("b", EDITED)


def test_the_answers_asked_for_longest_ago_make_room(remembered):
    for key in range(10):
        remembered.put(key, b"x" * 1000)
    remembered.get(0)
    remembered.put(10, b"x" * 1000)

    assert remembered.has(0)
    assert not remembered.has(1)
    assert len(remembered) == 10


def test_an_answer_that_is_put_again_takes_its_room_once(remembered):
    for _ in range(100):
        remembered.put("a", b"x" * 1000)
    for key in range(9):
        remembered.put(key, b"x" * 1000)
    assert remembered.has("a")


def test_an_answer_larger_than_all_it_may_hold_is_not_kept(remembered):
    remembered.put("a")
    remembered.put("large", b"x" * 30_000)
    assert remembered.has("a")
    assert not remembered.has("large")


@pytest.fixture
def question() -> PredictionQuestion:
    catalogue = make_catalogue()
    return PredictionQuestion(Direction.TK_TO_GENOMIC, catalogue.practices[0].slug, DEFAULT_TARGETS)


@pytest.fixture
def renderings(monkeypatch) -> list[PredictionQuestion]:
    """The questions whose answers were rendered, one entry each time."""
    found: list[PredictionQuestion] = []
    render = serving._render

    def counted(asked, frame):
        found.append(asked)
        return render(asked, frame)

    monkeypatch.setattr(serving, "_render", counted)
    return found


def ask(question: PredictionQuestion, audience: Audience = Audience.RESEARCH, now=None) -> bytes:
    return prediction_serve(question=question, audience=audience, now=now).body


@pytest.mark.django_db
def test_a_remembered_answer_is_recorded_like_any_other(question):
    first = ask(question)
    assert len(memory) == 1
    assert ask(question) == first
    assert AuditEvent.objects.filter(event_type="prediction.served").count() == 2


@pytest.mark.django_db
def test_nothing_is_remembered_past_an_objection(question):
    ask(question)
    item = Practice.objects.get(slug=question.subject).item
    item_record_objection(item=item, reference="synthetic letter", reason="synthetic reason")

    with pytest.raises(SubjectNotFound):
        ask(question)
    assert len(memory) == 0


@pytest.mark.django_db
def test_nothing_is_remembered_past_a_change_of_the_model_in_service(question):
    first = ask(question)
    ModelVersion.objects.update(provisional=True)
    assert ask(question) != first
    assert len(memory) == 1


@pytest.mark.django_db
def test_an_answer_stays_as_long_as_nothing_is_edited(question, renderings):
    start = timezone.now()
    for minute in range(29):
        ask(question, now=start + timedelta(minutes=minute))
    assert len(renderings) == 1


@pytest.mark.django_db
def test_an_edit_of_the_catalogue_shows_within_a_minute_to_who_asks_all_the_time(question, renderings):
    start = timezone.now()
    ask(question, now=start)
    Practice.objects.filter(slug=question.subject).update(title="Another synthetic title")

    shown = [
        b"Another synthetic title" in ask(question, now=start + timedelta(seconds=second))
        for second in range(CATALOGUE_SECONDS + 1)
    ]
    assert shown == sorted(shown)
    assert shown[-1]
    assert len(renderings) == 2


@pytest.mark.django_db
def test_an_edit_of_the_catalogue_shows_at_once_to_who_did_not_ask_for_a_minute(question):
    start = timezone.now()
    ask(question, now=start)
    Practice.objects.filter(slug=question.subject).update(title="Another synthetic title")
    assert b"Another synthetic title" in ask(question, now=start + timedelta(seconds=CATALOGUE_SECONDS))


@pytest.mark.django_db
def test_an_outdated_answer_that_must_not_be_rendered_any_more_ends_within_a_minute(question, monkeypatch):
    start = timezone.now()
    first = ask(question, now=start)
    Practice.objects.filter(slug=question.subject).update(title="Another synthetic title")
    monkeypatch.setattr(serving, "_render", lambda *_: None)

    assert ask(question, now=start + timedelta(seconds=CATALOGUE_SECONDS - 1)) == first
    with pytest.raises(SubjectNotFound):
        ask(question, now=start + timedelta(seconds=CATALOGUE_SECONDS))


@pytest.mark.django_db
@pytest.mark.parametrize("k", [DEFAULT_TARGETS, 7])
def test_an_answer_with_another_number_than_the_default_one_is_kept_for_a_minute(question, renderings, k):
    start, asked = timezone.now(), replace(question, k=k)
    for second in (0, CATALOGUE_SECONDS - 1, CATALOGUE_SECONDS):
        ask(asked, now=start + timedelta(seconds=second))
    assert len(renderings) == (1 if k == DEFAULT_TARGETS else 2)


@pytest.mark.django_db
def test_audiences_do_not_share_what_is_remembered(question):
    ask(question, Audience.RESEARCH)
    ask(question, Audience.COMMERCIAL)
    assert len(memory) == 2


@pytest.mark.django_db
def test_a_target_is_remembered_once_for_every_case_of_its_symbol():
    symbol = make_catalogue().targets[0].symbol
    for written in (symbol, symbol.lower()):
        ask(PredictionQuestion(Direction.GENOMIC_TO_TK, written, 5))
    assert len(memory) == 1
