"""No page of the desk makes more than twelve queries, however much there is to show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ethics.audit import AuditContext, audit_context
from ethics.clients import client_create
from ethics.desk.alerts import open_alerts
from ethics.models import AuditEvent, AuditVerification, SavedFilter
from ethics.policy import Audience
from ethics.records import governance_record_save
from ethics.withdrawals import withdrawal_alert
from tests.admin_people import make_consent, make_label, make_person, make_sacred, make_withdrawal_case
from tests.factories import make_item, make_model_version

MOST = 12


@pytest.fixture
def pages(officer: Client, serve, refuse) -> dict[str, str]:
    """Every page, with several of everything on it."""
    now = timezone.now()
    dispensary = client_create(organisation="Green Leaf", audience=Audience.COMMERCIAL)
    context = AuditContext("Green Leaf", "client", str(dispensary.public_id), "request-1")
    items = [make_item() for _ in range(3)]
    for item in items:
        serve(item.public_id, item.community.slug, context)
        make_consent(item, valid_until=now + timedelta(days=3), valid_from=now - timedelta(days=3))
        refuse(make_sacred("a protected name").public_id, context=context)
        make_model_version(state="quarantined", marked_at=now)
        withdrawal_alert(case=make_withdrawal_case(item), where="deadline", reason="the deadline passed")
        AuditVerification.objects.create(
            tree_size=1, started_at=now, finished_at=now, events=1, ok=False, problem="leaf 0 differs"
        )
    with audit_context(AuditContext("mira", "steward", request_id="request-2", reason="corrected by its community")):
        items[0].attribution.statement = "another"
        governance_record_save(instance=items[0].attribution, changed_fields=["statement"], created=False)
        governance_record_save(instance=make_label(), changed_fields=[], created=False)
    SavedFilter.objects.create(owner=make_person("compliance officer"), name="theirs", terms={"actor": "x"})
    changed = AuditEvent.objects.filter(request_id="request-2").first()
    served = AuditEvent.objects.filter(event_type="prediction.served").first()
    assert changed is not None
    assert served is not None
    alerts = {f"alert of {alert.kind}": reverse("desk:alert", args=[alert.key]) for alert in open_alerts(now).alerts}
    return {
        "overview": reverse("desk:overview"),
        "events": reverse("desk:events"),
        "events of a practice": f"{reverse('desk:events')}?subject={items[0].public_id}&client={dispensary.public_id}",
        "event with changes": reverse("desk:event", args=[changed.event_id]),
        "event of a client": reverse("desk:event", args=[served.event_id]),
        "practice": reverse("desk:practice", args=[items[0].public_id]),
        "alerts": reverse("desk:alerts"),
        "closed alerts": f"{reverse('desk:alerts')}?state=closed",
        "filters": reverse("desk:filters"),
        **alerts,
    }


def test_no_page_makes_more_than_twelve_queries(officer: Client, pages, django_assert_max_num_queries) -> None:
    assert len(pages) == 14
    for name, address in pages.items():
        with django_assert_max_num_queries(MOST, info=name):
            assert officer.get(address).status_code == 200, name
