"""What a process remembers of the answers it gave: no more than it may, no longer than it may."""

from __future__ import annotations

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
from genomepath.answer_memory import AnswerMemory
from genomepath.models import ModelVersion
from genomepath.serving import PredictionQuestion, SubjectNotFound, memory, prediction_serve
from genomepath.validity import CATALOGUE_SECONDS, RENEWAL_SECONDS
from tests.factories import make_catalogue

NOW = timezone.now()
END = NOW + timedelta(seconds=60)


def an_answer(body: bytes = b"{}") -> RenderedAnswer:
    return RenderedAnswer(body, '"etag"', ["item"], ["community"], 1, END.isoformat(), END.isoformat())


@pytest.fixture
def remembered() -> AnswerMemory:
    """A memory of ten answers of a thousand bytes."""
    found = AnswerMemory(most_bytes=10 * 2024)
    found.get("now", "nothing", NOW)
    return found


def test_what_was_put_is_got(remembered):
    remembered.put("now", "a", an_answer())
    assert remembered.get("now", "a", NOW) == an_answer()
    assert remembered.get("now", "b", NOW) is None


def test_an_answer_ends_with_its_last_moment(remembered):
    remembered.put("now", "a", an_answer())
    assert remembered.get("now", "a", END - timedelta(microseconds=1)) is not None
    assert remembered.get("now", "a", END) is None
    assert len(remembered) == 0


def test_another_generation_empties_it(remembered):
    remembered.put("now", "a", an_answer())
    remembered.put("now", "b", an_answer())

    assert remembered.get("then", "a", NOW) is None
    assert len(remembered) == 0


def test_an_answer_of_a_generation_that_passed_while_it_was_rendered_is_not_kept(remembered):
    remembered.get("then", "a", NOW)
    remembered.put("now", "a", an_answer())
    assert len(remembered) == 0


def test_the_answers_asked_for_longest_ago_make_room(remembered):
    for key in range(10):
        remembered.put("now", key, an_answer(b"x" * 1000))
    remembered.get("now", 0, NOW)
    remembered.put("now", 10, an_answer(b"x" * 1000))

    assert remembered.get("now", 0, NOW) is not None
    assert remembered.get("now", 1, NOW) is None
    assert len(remembered) == 10


def test_an_answer_that_is_put_again_takes_its_room_once(remembered):
    for _ in range(100):
        remembered.put("now", "a", an_answer(b"x" * 1000))
    for key in range(9):
        remembered.put("now", key, an_answer(b"x" * 1000))
    assert remembered.get("now", "a", NOW) is not None


def test_an_answer_larger_than_all_it_may_hold_is_not_kept(remembered):
    remembered.put("now", "a", an_answer())
    remembered.put("now", "large", an_answer(b"x" * 30_000))
    assert remembered.get("now", "a", NOW) is not None
    assert remembered.get("now", "large", NOW) is None


@pytest.fixture
def question() -> PredictionQuestion:
    catalogue = make_catalogue()
    return PredictionQuestion(Direction.TK_TO_GENOMIC, catalogue.practices[0].slug, 5)


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
def test_an_edit_of_the_catalogue_shows_within_a_minute(question):
    now = timezone.now()
    ask(question, now=now)
    Practice.objects.filter(slug=question.subject).update(title="Another synthetic title")

    assert b"Another synthetic title" not in ask(question, now=now + timedelta(seconds=RENEWAL_SECONDS[0] - 1))
    assert b"Another synthetic title" in ask(question, now=now + timedelta(seconds=CATALOGUE_SECONDS))


@pytest.mark.django_db
def test_what_is_asked_for_again_and_again_is_renewed_before_it_ends(question, monkeypatch):
    start = timezone.now()
    ask(question, now=start)
    renewals: list[PredictionQuestion] = []
    render = serving._render

    def counted(asked, frame):
        renewals.append(asked)
        return render(asked, frame)

    monkeypatch.setattr(serving, "_render", counted)

    for second in range(1, 4 * CATALOGUE_SECONDS):
        ask(question, now=start + timedelta(seconds=second))
        (answer,) = memory._answers.values()
        assert answer.holds_at(start + timedelta(seconds=second + 1))
    assert 4 <= len(renewals) <= 12


@pytest.mark.django_db
def test_an_answer_that_must_not_be_renewed_any_more_ends_at_its_time(question, monkeypatch):
    start = timezone.now()
    first = ask(question, now=start)
    monkeypatch.setattr(serving, "_render", lambda *_: None)

    assert ask(question, now=start + timedelta(seconds=CATALOGUE_SECONDS - 1)) == first
    with pytest.raises(SubjectNotFound):
        ask(question, now=start + timedelta(seconds=CATALOGUE_SECONDS))


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
