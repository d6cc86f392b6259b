"""The alerts that ethics itself finds: sacred items asked for, failed verification, consents that end, withdrawals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max
from django.urls import reverse

from ethics.audit import registered_event_types
from ethics.desk.alerts import MOST_OF_A_SOURCE, Alert, AlertSource, register_alert_source
from ethics.models import AuditVerification, Consent, WithdrawalStep
from ethics.policy import ConsentState, SacredStatus
from ethics.withdrawals import OFFICERS_ALERTED

NOTICE = timedelta(days=30)
"""A consent that ends within this time is about to expire."""

SACRED, VERIFICATION, CONSENT, WITHDRAWAL = "sacred", "verification", "consent", "withdrawal"

# What a closing covers is not read again, so that an item asked for often costs no more with the years. OFFSET 0 keeps the
# planner, which can't know how rare a sacred item is, from reading all refusals for each of them.
_ASKED_FOR = """
SELECT item.public_id::text, community.slug, count(*), count(DISTINCT event.client_id), max(event.occurred_at)
FROM ethics_governeditem item
JOIN ethics_community community ON community.id = item.community_id
JOIN LATERAL (
    SELECT occurred_at, client_id FROM (
        SELECT occurred_at, client_id, event_type FROM ethics_auditevent
        WHERE subject_ids @> ARRAY[item.public_id::text]::varchar[] OFFSET 0
    ) named
    WHERE event_type = ANY(%s)
      AND occurred_at > coalesce(
        (SELECT max(seen_until) FROM ethics_alertnote WHERE closes AND alert_key = 'sacred:' || item.public_id),
        '-infinity'::timestamptz)
) event ON true
WHERE item.sacred_status = %s
GROUP BY item.public_id, community.slug
ORDER BY max(event.occurred_at) DESC
LIMIT %s
"""


def _sacred_requests(now: datetime) -> Iterator[Alert]:
    refusing = [name for name, kind in registered_event_types().items() if kind.refuses]
    with connection.cursor() as cursor:
        cursor.execute(_ASKED_FOR, [refusing, SacredStatus.SACRED.value, MOST_OF_A_SOURCE])
        rows = cursor.fetchall()
    for public_id, community, times, clients, latest_at in rows:
        asked = "once" if times == 1 else f"{times} times"
        yield Alert(
            key=f"{SACRED}:{public_id}",
            kind=SACRED,
            summary=f"A sacred item was asked for {asked}, by {clients} client{'' if clients == 1 else 's'}; refused.",
            latest_at=latest_at,
            times=times,
            communities=[community],
            subjects=[public_id],
            link=f"{reverse('desk:events')}?subject={public_id}",
            link_text="The requests",
        )


def _failed_verifications(now: datetime) -> Iterator[Alert]:
    for check in AuditVerification.objects.filter(ok=False)[:MOST_OF_A_SOURCE]:
        yield Alert(
            key=f"{VERIFICATION}:{check.pk}",
            kind=VERIFICATION,
            summary=check.problem,
            latest_at=check.finished_at,
        )


def _expiring_consents(now: datetime) -> Iterator[Alert]:
    ending = Consent.objects.filter(
        state=ConsentState.GRANTED.value,
        superseded_by__isnull=True,
        valid_until__gt=now,
        valid_until__lte=now + NOTICE,
    ).select_related("community")
    for consent in ending.order_by("valid_until")[:MOST_OF_A_SOURCE]:
        assert consent.valid_until is not None  # noqa: S101  filtered above
        yield Alert(
            key=f"{CONSENT}:{consent.public_id}",
            kind=CONSENT,
            summary=f"A consent of {consent.community} ends on {consent.valid_until:%Y-%m-%d %H:%M} UTC.",
            latest_at=consent.valid_until - NOTICE,
            communities=[consent.community.slug],
            subjects=[str(consent.public_id)],
            link=reverse("admin:ethics_consent_change", args=[consent.pk]),
            link_text="The consent",
        )


def _stuck_withdrawals(now: datetime) -> Iterator[Alert]:
    steps = WithdrawalStep.objects.filter(what=OFFICERS_ALERTED, done_at__isnull=False).order_by()
    grouped = steps.values_list("case__pk", "case__public_id", "case__community__slug", "case__state")
    for pk, public_id, community, state, latest_at in grouped.annotate(latest=Max("done_at")).order_by("-latest")[
        :MOST_OF_A_SOURCE
    ]:
        yield Alert(
            key=f"{WITHDRAWAL}:{public_id}",
            kind=WITHDRAWAL,
            summary=f"No model without the withdrawn items could take over at once; the case is {state} now.",
            latest_at=latest_at,
            communities=[community],
            subjects=[str(public_id)],
            link=reverse("admin:ethics_withdrawalcase_receipt", args=[pk]),
            link_text="The receipt",
        )


for _source in (
    AlertSource(
        SACRED,
        "Blocked sacred requests",
        "Nothing was shown. Look at who asks, and whether a protected name became known.",
        _sacred_requests,
    ),
    AlertSource(
        VERIFICATION,
        "Failed verification",
        "The log did not agree with its signed heads. Keep the database as it is, and compare it with the heads file.",
        _failed_verifications,
    ),
    AlertSource(
        CONSENT,
        "Consents about to expire",
        "It ends within 30 days; then its items leave use. Ask the community in time.",
        _expiring_consents,
    ),
    AlertSource(
        WITHDRAWAL,
        "Withdrawals that wait",
        "The model in service learned from withdrawn items, and no other could take over at once.",
        _stuck_withdrawals,
    ),
):
    register_alert_source(_source)
