"""Decisions on consents that meet in the database: real threads, each with a connection of its own, on committed rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from ethics.consent import consent_record, consent_withdraw
from ethics.models import AuditEvent, Community, Consent, GovernedItem
from ethics.policy import Audience, Basis, ConsentState, Purpose
from ethics.reasons import change_reason
from tests.factories import make_item

START = datetime(2026, 1, 1, tzinfo=UTC)
WAIT_SECONDS = 20


@pytest.fixture(autouse=True)
def committed(committed_database, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def item(committed) -> GovernedItem:
    return make_item(basis=Basis.CONSENT, basis_source="")


def give(item: GovernedItem, state: ConsentState = ConsentState.GRANTED, **changes: Any) -> Consent:
    return consent_record(
        **{
            "community": item.community,
            "items": [item],
            "purposes": [Purpose.PREDICTION],
            "audiences": [Audience.RESEARCH],
            "state": state,
            "valid_from": START,
            "document_reference": "synthetic letter",
            "recorded_by": "a steward",
            **changes,
        }
    )


class Contender(threading.Thread):
    """Runs one decision on a connection of its own, and keeps what it raised."""

    def __init__(self, decision: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.decision = decision
        self.refusal: ValidationError | None = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with change_reason("synthetic reason"):
                self.decision()
        except ValidationError as refusal:
            self.refusal = refusal
        except BaseException as failure:  # noqa: BLE001  handed to the test, which raises it
            self.failure = failure
        finally:
            connection.close()


def race(community: Community, *decisions: Callable[[], object]) -> list[ValidationError | None]:
    """Let decisions wait for a lock on the community in the order given, then release them all at once."""
    contenders = [Contender(decision) for decision in decisions]
    with transaction.atomic():
        Community.objects.select_for_update(no_key=True).get(pk=community.pk)
        for number, contender in enumerate(contenders, start=1):
            contender.start()
            _wait_until_waiting(number)
    for contender in contenders:
        contender.join(WAIT_SECONDS)
        assert not contender.is_alive()
        if contender.failure is not None:
            raise contender.failure
    return [contender.refusal for contender in contenders]


def _wait_until_waiting(number: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= number:
                return
        time.sleep(0.02)
    pytest.fail(f"{number} decisions should wait for the lock")


def permitted(item: GovernedItem) -> bool:
    return GovernedItem.objects.permitted_for(Purpose.PREDICTION, Audience.RESEARCH).filter(pk=item.pk).exists()


@pytest.mark.parametrize("first", ["withdrawal", "grant"])
def test_a_withdrawal_wins_over_a_grant_that_would_take_the_place_of_the_consent(
    first: str, item: GovernedItem
) -> None:
    consent = give(item)
    assert permitted(item)

    def withdraw() -> None:
        consent_withdraw(consent=Consent(**_fields(consent)), reason="the community decided so")

    def renew() -> None:
        give(item, supersedes=[consent])

    order = (withdraw, renew) if first == "withdrawal" else (renew, withdraw)
    refusals = dict(zip(("first", "second"), race(item.community, *order), strict=True))

    assert not permitted(item)
    assert Consent.objects.get(pk=consent.pk).state == ConsentState.WITHDRAWN
    assert AuditEvent.objects.filter(event_type="consent.withdrawn").count() == 1
    if first == "withdrawal":
        assert "withdrawn meanwhile" in str(refusals["second"])
    else:
        assert refusals == {"first": None, "second": None}


def test_a_withdrawal_wins_over_a_grant_beside_it(item: GovernedItem) -> None:
    consent = give(item)
    race(
        item.community,
        lambda: give(item),
        lambda: consent_withdraw(consent=consent, reason="the community decided so"),
        lambda: give(item, items=None),
    )
    assert not permitted(item)


def test_of_a_grant_and_a_denial_at_once_one_is_recorded(item: GovernedItem) -> None:
    refusals = race(item.community, lambda: give(item), lambda: give(item, ConsentState.DENIED))
    assert [refusal is None for refusal in refusals] == [True, False]
    assert Consent.objects.get().state == "granted"
    assert AuditEvent.objects.filter(event_type="consent.recorded").count() == 1


def test_a_consent_is_withdrawn_once_by_two_at_once(item: GovernedItem) -> None:
    consent = give(item)
    refusals = race(item.community, *[lambda: consent_withdraw(consent=consent, reason="decided")] * 2)
    assert sorted(refusal is None for refusal in refusals) == [False, True]
    assert AuditEvent.objects.filter(event_type="consent.withdrawn").count() == 1


def test_without_any_order_a_withdrawal_wins_every_time(item: GovernedItem) -> None:
    for _ in range(10):
        consent = give(item)
        start = threading.Barrier(2)

        def withdraw(consent: Consent = consent, start: threading.Barrier = start) -> None:
            start.wait(WAIT_SECONDS)
            consent_withdraw(consent=consent, reason="the community decided so")

        def renew(consent: Consent = consent, start: threading.Barrier = start) -> None:
            earlier = Consent(**_fields(consent))
            start.wait(WAIT_SECONDS)
            give(item, supersedes=[earlier])

        contenders = [Contender(withdraw), Contender(renew)]
        for contender in contenders:
            contender.start()
        for contender in contenders:
            contender.join(WAIT_SECONDS)
            assert contender.failure is None
        assert not permitted(item)
        _settle(item)
        assert not permitted(item)


def _settle(item: GovernedItem) -> None:
    """Open the next round: a pending consent takes the place of all that was decided."""
    earlier = list(Consent.objects.filter(superseded_by__isnull=True))
    give(item, ConsentState.PENDING, supersedes=earlier)


def _fields(consent: Consent) -> dict[str, Any]:
    """The columns of a consent as they were read."""
    return {field.attname: getattr(consent, field.attname) for field in consent._meta.concrete_fields}
