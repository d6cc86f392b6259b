"""A state machine that governs, withdraws, imports and asks in random order, on a real database and cache.

After every step one audience asks, each in turn: for both lists, which tell of every practice, for each practice whose
answer has changed since this audience asked last, and for one more. Its answers stay in the cache until it asks again. What
``policy.decide`` refuses at that moment must stand in no answer, and what it allows must be there.
"""

from __future__ import annotations

import itertools
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from rest_framework.test import APIClient

from correlations.importing.phase3 import phase3_import
from correlations.models import Practice
from ethics.clients import api_key_create, client_create
from ethics.consent import consent_record, consent_withdraw
from ethics.models import Consent, GovernedItem, ItemLabel
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience, Basis, ConsentState, LabelRule, Purpose, SacredStatus, decide
from ethics.querysets import facts_of
from ethics.records import governance_record_delete, governance_record_save
from ethics.stewardship import item_record_objection, item_set_status
from genomepath.models import ModelVersion, Prediction
from genomepath.models.model_version import VersionState
from tests.admin_people import make_label
from tests.correlations.phase3_export import gene, write_export
from tests.correlations.phase3_export import practice as exported_practice
from tests.factories import make_community, make_item, make_model_version, make_practice, make_target, publish

BASES = [Basis.DOCUMENTED, Basis.CONSENT, Basis.NONE]
PUBLISHED_STATUS = "published_knowledge"
places = st.integers(0, 30)
purposes = st.sets(st.sampled_from([Purpose.PREDICTION, Purpose.DISPLAY, Purpose.TRAINING]), min_size=1)
audiences = st.sets(st.sampled_from([*CLIENT_AUDIENCES, Audience.PLATFORM]), min_size=1)
days = st.integers(-5, 5)


class PolicyMachine(RuleBasedStateMachine):
    """See the module."""

    @staticmethod
    def leaks() -> list[Any]:
        """Patches with which a test of the machine itself breaks the gate."""
        return []

    def __init__(self) -> None:
        super().__init__()
        self.offset = timedelta()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        real_now = timezone.now
        self._clock = mock.patch("django.utils.timezone.now", lambda: real_now() + self.offset)
        self._clock.start()
        self.community = make_community()
        items = [
            make_item(
                community=self.community, basis=basis, basis_source="synthetic source" if basis == BASES[0] else ""
            )
            for basis in BASES
        ]
        self.target = make_target()
        self.practices = [make_practice(item=item, title=token(), cultural_context=token()) for item in items]
        self.labels = {entry: make_label(entry) for entry in LabelRule}
        self.clients = {audience: _client(audience) for audience in CLIENT_AUDIENCES}
        self._turns: Iterator[Audience] = itertools.cycle(CLIENT_AUDIENCES)
        self._places = itertools.count()
        self._answered: dict[Audience, dict[int, bool]] = {audience: {} for audience in CLIENT_AUDIENCES}
        self.prepare()
        self.broken = self.leaks()
        for patch in self.broken:
            patch.start()

    def prepare(self) -> None:
        """Put a model into service."""
        publish(make_model_version(sha256=uuid.uuid4().hex * 2), self.practices, [self.target])

    def teardown(self) -> None:
        for patch in self.broken:
            patch.stop()
        self._clock.stop()
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    def item(self, place: int) -> GovernedItem:
        """Some governed item of a practice, of those that the machine governs."""
        found = self.governed_items().filter(practice__isnull=False).order_by("pk")
        return found[place % found.count()]

    def governed_items(self) -> QuerySet[GovernedItem]:
        """The items over which is decided: all."""
        return GovernedItem.objects.all()

    @rule(
        place=places,
        for_all=st.booleans(),
        state=st.sampled_from([ConsentState.GRANTED, ConsentState.GRANTED, ConsentState.DENIED, ConsentState.PENDING]),
        purposes=purposes,
        audiences=audiences,
        starts=days,
        lasts=st.none() | st.integers(1, 6),
    )
    def record_consent(
        self,
        place: int,
        for_all: bool,
        state: ConsentState,
        purposes: set[Purpose],
        audiences: set[Audience],
        starts: int,
        lasts: int | None,
    ) -> None:
        """A grant, a denial or something pending; those that contradict what is recorded are refused."""
        item = self.item(place)
        begins = timezone.now() + timedelta(days=starts)
        with suppress(ValidationError):
            consent_record(
                community=item.community,
                items=None if for_all else [item],
                purposes=purposes,
                audiences=audiences,
                state=state,
                valid_from=begins,
                valid_until=begins + timedelta(days=lasts) if lasts else None,
                document_reference="synthetic letter",
                recorded_by="test",
            )

    @rule(place=places)
    def withdraw(self, place: int) -> None:
        """One that can't be withdrawn is refused."""
        known = list(Consent.objects.order_by("pk"))
        if known:
            with suppress(ValidationError):
                consent_withdraw(consent=known[place % len(known)], reason="synthetic reason")

    @rule(place=places, ends=days)
    def move_end(self, place: int, ends: int) -> None:
        """Past the services, as an operator might: the triggers must hold."""
        known = list(Consent.objects.order_by("pk"))
        if known:
            consent = known[place % len(known)]
            end = timezone.now() + timedelta(days=ends)
            start = min(consent.valid_from, end - timedelta(days=1))
            Consent.objects.filter(pk=consent.pk).update(valid_from=start, valid_until=end)

    @rule(passed=st.integers(1, 96))
    def let_time_pass(self, passed: int) -> None:
        """Nothing is written: what starts or ends does so by the clock alone."""
        self.offset += timedelta(hours=passed)

    @rule(place=places, status=st.sampled_from([SacredStatus.RESTRICTED, SacredStatus.SACRED]))
    def raise_status(self, place: int, status: SacredStatus) -> None:
        """A lower status than the present one is refused."""
        with suppress(ValidationError):
            item_set_status(item=self.item(place), status=status)

    @rule(place=places, name=st.sampled_from(list(LabelRule)))
    def put_label(self, place: int, name: LabelRule) -> None:
        """The same label twice is refused."""
        with suppress(ValidationError, IntegrityError), transaction.atomic():
            entry = ItemLabel(item=self.item(place), label=self.labels[name])
            governance_record_save(instance=entry, changed_fields=[], created=True)

    @rule(place=places)
    def take_label(self, place: int) -> None:
        """Takes a label off again, where there is one."""
        known = list(ItemLabel.objects.order_by("pk"))
        if known:
            governance_record_delete(instance=known[place % len(known)])

    @rule(place=places)
    def object_to_use(self, place: int) -> None:
        """The community objects."""
        item_record_objection(item=self.item(place), reference="synthetic letter", reason="synthetic reason")

    @rule(place=places)
    def lose_attribution(self, place: int) -> None:
        """Past the services: nobody is credited any more."""
        item = self.item(place)
        if hasattr(item, "attribution"):
            item.attribution.delete()

    @rule(status=st.sampled_from([PUBLISHED_STATUS, "unknown", "denied"]), ceremonial=st.booleans())
    def import_row(self, status: str, ceremonial: bool) -> None:
        """A further practice arrives by import, and is published with the rest."""
        row = exported_practice(
            Practice.objects.count() + 1,
            practice_name=token(),
            community_consent_status=status,
            ceremonial_significance=ceremonial,
            source_community_id="synthetic_tradition_1",
        )
        with tempfile.TemporaryDirectory() as folder:
            export = write_export(Path(folder) / uuid.uuid4().hex, genes=[gene()], practices=[row], correlations=[])
            phase3_import(folder=export)
        new = Practice.objects.exclude(pk__in=Prediction.objects.values("practice"))
        active = ModelVersion.objects.filter(state=VersionState.ACTIVE.value).first()
        if active is not None:
            publish_more(active, list(new), self.target)

    @invariant()
    def the_next_audience_finds_nothing_refused(self) -> None:
        """See the module."""
        self._ask(next(self._turns), everything=False)

    @rule()
    def every_audience_asks_for_everything_twice(self) -> None:
        """The second answer comes from the cache."""
        for audience in CLIENT_AUDIENCES:
            for _ in ("database", "cache"):
                self._ask(audience, everything=True)

    def _ask(self, audience: Audience, *, everything: bool) -> None:
        http, now = self.clients[audience], timezone.now()
        practices = list(Practice.objects.with_policy_facts().order_by("pk"))
        facts = {practice.pk: facts_of(practice.item) for practice in practices}
        predicted = {pk: decide(facts[pk], Purpose.PREDICTION, audience, now).allowed for pk in facts}
        displayed = {pk: decide(facts[pk], Purpose.DISPLAY, audience, now).allowed for pk in facts}
        active = ModelVersion.objects.filter(state=VersionState.ACTIVE.value).first()
        ranked = set(Prediction.objects.filter(model_version=active, dose="").values_list("practice", flat=True))
        of_target = http.get(f"/api/v1/predictions/targets/{self.target.symbol}/practices/?k=100")
        listed = http.get("/api/v1/practices/")
        for practice in practices:
            state = (audience, facts[practice.pk])
            assert _tells_of(of_target.content, practice) == (predicted[practice.pk] and practice.pk in ranked), state
            assert _tells_of(listed.content, practice) == displayed[practice.pk], state
        known, self._answered[audience] = self._answered[audience], predicted
        due = [entry for entry in practices if everything or predicted[entry.pk] != known.get(entry.pk)]
        for practice in [*due, practices[next(self._places) % len(practices)]]:
            own = http.get(f"/api/v1/predictions/practices/{practice.slug}/targets/")
            state = (audience, facts[practice.pk])
            expected = (200 if predicted[practice.pk] else 404) if active else 503
            assert own.status_code == expected, state
            assert (practice.title in own.content.decode()) == (expected == 200), state


def publish_more(version: Any, practices: list[Practice], target: Any) -> None:
    """Predictions for further practices, ranked after those that there are."""
    count = Prediction.objects.filter(model_version=version, direction="genomic_to_tk").count()
    for place, practice in enumerate(practices, start=count + 1):
        shared = {"model_version": version, "practice": practice, "target": target, "score": 0.0, "confidence": 0.1}
        Prediction.objects.create(direction="genomic_to_tk", rank=place, **shared)
        for dose in ("low", "medium", "high"):
            Prediction.objects.create(direction="tk_to_genomic", dose=dose, rank=1, **shared)


def _tells_of(content: bytes, practice: Practice) -> bool:
    text = content.decode()
    return practice.title in text or f'"{practice.slug}"' in text


def token() -> str:
    """A text that occurs nowhere else."""
    return f"canary-{uuid.uuid4().hex}"


def _client(audience: Audience) -> APIClient:
    client = client_create(organisation=f"Machine {uuid.uuid4().hex}", audience=audience)
    http = APIClient()
    http.credentials(HTTP_AUTHORIZATION=f"Api-Key {api_key_create(client=client, name='test')[1]}")
    return http
