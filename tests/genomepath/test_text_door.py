"""A text that names what is protected, however it is written, is recognised; a text that merely looks alike is not."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlations.bundled.reader import read_bundled
from genomepath.description_threshold import measure_descriptions
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.known_targets import FAR_FROM_TARGETS
from genomepath.text_door import (
    FAR_FROM_KNOWN,
    NEAR_WITHHELD,
    ProtectedNames,
    TextVerdict,
    closeness,
    segments,
    words,
)
from genomepath.text_threshold import document, measure

NAME = "Canário do Mar"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "free_text_threshold.md"


@pytest.mark.parametrize(
    "text",
    [
        "Canário do Mar",
        "a tea of CANÁRIO DO MAR, at night",
        "canario do mar",
        "Cana\u0301rio do Mar",
        "canário\n\tdo   mar",
        "canário\u00a0do\u2003mar",
        "canario-do_mar.",
        "Canário\u200bdo\u00admar",
        "".join(chr(ord(letter) + 0xFEE0) for letter in "canario") + "\u3000do mar",
        "c a n á r i o d o m a r",
        "(canáriodomar)",
    ],
)
def test_a_name_is_found_however_it_is_written(text: str) -> None:
    assert ProtectedNames([("item", NAME)]).items_named_in(text) == {"item"}


@pytest.mark.parametrize(
    "text",
    [
        "Саnárіо dо Маr",  # Cyrillic
        "саnагіо ԁо mаг",
        "Cαnárιο dο Mαr",  # Greek
        "𝒞anario 𝖽𝗈 𝐌𝐚𝐫",
        "C\u0336a\u0336nario d\u20ddo mar",
        "c\u200ba\u2060nario d\u202eo\ufeff mar",
        "ᴄanarıo dø mar",
        "c4n4r10 d0 m4r",
        "C@N4RI0 do mar!",
        "canarlo d0 mar",
    ],
)
def test_a_name_is_found_in_letters_and_signs_that_look_alike(text: str) -> None:
    assert ProtectedNames([("item", NAME)]).items_named_in(text) == {"item"}


@pytest.mark.parametrize("text", ["canari\u0585 do mar", "\u13dfanario do mar"])
def test_look_alike_letters_of_armenian_or_cherokee_are_not_recognised(text: str) -> None:
    """As THREAT_MODEL.md says."""
    assert ProtectedNames([("item", NAME)]).items_named_in(text) == frozenset()


def test_a_name_in_another_script_is_found_in_that_script_and_in_latin_letters() -> None:
    names = ProtectedNames([("item", "Синий чай")])
    assert [names.items_named_in(text) for text in ("синий чай", "Синий чaй", "синее чай")] == [
        {"item"}, {"item"}, frozenset(),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["canary 10 do mar", "c4nary do mar", "4 canarios do mar", "10 3 4 0"])
def test_digits_alone_and_other_words_with_digits_are_no_name(text: str) -> None:
    assert ProtectedNames([("item", NAME), ("short", "ole")]).items_named_in(text) == frozenset()


def test_no_bundled_text_is_taken_for_a_name_that_it_does_not_hold() -> None:
    """Look-alike letters and digits add no false alarm: each name found stands in the text in plain letters."""
    data = read_bundled()
    names = {item.id: item.protected_names for item in data.sacred_placeholders}
    names |= {practice.slug: (practice.title, practice.slug) for practice in data.practices}
    rows: list[Any] = [*data.practices, *data.evidence, *data.targets, *data.communities]
    texts = [text for row in rows for text in _texts_in(asdict(row))]
    door = ProtectedNames([(item, name) for item, entries in names.items() for name in entries])
    assert len(texts) > 1000
    for text in texts:
        plain = _plain(text)
        assert {item for item in door.items_named_in(text) if not any(_plain(n) in plain for n in names[item])} == set()


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts_in(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts_in(entry)


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in apart if character.isalnum())


@pytest.mark.parametrize(
    "text", ["", "canário do marinheiro", "ocanario do mar", "canário do", "mar do canário", "\x00"]
)
def test_another_word_that_holds_the_name_is_not_the_name(text: str) -> None:
    assert ProtectedNames([("item", NAME)]).items_named_in(text) == frozenset()


def test_a_script_without_spaces_is_searched_within_words() -> None:
    names = ProtectedNames([("item", "金絲雀")])
    assert names.items_named_in("古代的金絲雀茶") == {"item"}
    assert names.items_named_in("古代的金絲茶") == frozenset()


def test_one_name_of_two_items_and_names_within_names_are_all_found() -> None:
    names = ProtectedNames([("a", "Canary"), ("b", "canary"), ("c", "Canary Root"), ("d", "---")])
    assert names.items_named_in("the canary root") == {"a", "b", "c"}
    assert names.items_named_in("---") == frozenset()


@given(before=st.text(max_size=20), name=st.text(min_size=1, max_size=20), after=st.text(max_size=20))
def test_a_name_between_spaces_is_always_found(before: str, name: str, after: str) -> None:
    found = ProtectedNames([("item", name)]).items_named_in(f"{before} {name} {after}")
    assert found == ({"item"} if words(name) else frozenset())


def test_a_long_text_is_also_looked_at_in_parts() -> None:
    text = " ".join(f"w{number}" for number in range(90))
    parts = segments(text)
    assert parts[0] == text
    assert all(any(f"w{number}" in part.split() for part in parts[1:]) for number in range(90))
    assert segments("a short text") == ["a short text"]


def test_closeness_is_that_of_the_closest_part() -> None:
    views = np.eye(3, dtype=np.float32)
    parts = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)
    assert closeness(parts, views).tolist() == [1, 1, 0]
    assert closeness(parts, views[:0]).shape == (0,)


def test_any_single_reason_is_enough_for_no_answer() -> None:
    one = frozenset({"item"})
    assert TextVerdict(frozenset(), frozenset(), False).is_answered
    for verdict, reasons in (
        (TextVerdict(one, frozenset(), False), ["named"]),
        (TextVerdict(frozenset(), one, False), ["near"]),
        (TextVerdict(frozenset(), frozenset(), True), ["far"]),
        (TextVerdict(one, one, True), ["named", "near", "far"]),
    ):
        assert (verdict.is_answered, verdict.reasons) == (False, reasons)


@pytest.mark.slow
def test_the_thresholds_are_those_that_the_measurement_gives() -> None:
    encoder = MiniLMEncoder()
    measured, descriptions = measure(encoder), measure_descriptions(encoder)
    assert (measured.near_threshold(), measured.far_threshold()) == (NEAR_WITHHELD, FAR_FROM_KNOWN)
    assert descriptions.far_threshold() == FAR_FROM_TARGETS
    assert document(measured, descriptions) == DOCUMENT.read_text(encoding="utf-8")
