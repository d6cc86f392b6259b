"""The desk over a log that a real sealer seals."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.audit.sealing import seal_round
from ethics.desk.usage import usage
from ethics.models import AuditDailyCount, AuditHead, AuditSigningKey
from tests.admin_people import make_person


def test_the_desk_shows_the_sealed_log_and_its_proofs(committed_database, django_db_blocker, serve_many) -> None:
    with django_db_blocker.unblock():
        officer = Client()
        officer.force_login(make_person(COMPLIANCE_OFFICER))
        events = serve_many(300)
        today = timezone.now().date()
        before = usage(today, today).served.counts
        assert seal_round() >= 300
        head = AuditHead.objects.get()

        text = officer.get(reverse("desk:overview")).content.decode()
        assert f"{head.tree_size:,} events" in text
        assert AuditSigningKey.objects.get().key_id in text
        assert "0 events not sealed yet" in text
        assert usage(today, today, sealed_below=head.sealed_below).served.counts == before
        assert AuditDailyCount.objects.filter(day=today, event_type="prediction.served").exists()
        assert "in the signed log" in officer.get(reverse("desk:event", args=[events[7].event_id])).content.decode()
        late = serve_many(1)[0]
        assert "not sealed yet" in officer.get(reverse("desk:event", args=[late.event_id])).content.decode()
        assert "1 event not sealed yet" in officer.get(reverse("desk:overview")).content.decode()
        assert usage(today - timedelta(days=1), today, sealed_below=head.sealed_below).served.row(today) == [301]
