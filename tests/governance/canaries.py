"""Practices that may not be used, with a canary string in every text field of theirs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from correlations.models import Correlation, GenomicTarget, Practice
from ethics.consent import consent_record, consent_withdraw
from ethics.models import Consent, GovernedItem
from ethics.policy import Audience, Basis, ConsentState, Purpose, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from tests.factories import make_community, make_correlation, make_item, make_practice

KINDS = ("sacred", "withdrawn", "denied", "expired", "objected", "unattributed")
# These are out of use but not closed to curation: whoever curates the catalogue may read them.
OPEN_TO_CURATION = frozenset({"denied", "expired", "unattributed"})
PREFIX = "canary"
_LENGTH = len(PREFIX) + 17
_NOT_CURATION = [purpose for purpose in Purpose if purpose != Purpose.CURATION]


@dataclass(frozen=True)
class Canary:
    """A planted text: in which kind of practice, and in which field."""

    kind: str
    field: str


@dataclass(frozen=True)
class Planted:
    """A practice out of use, its records, and the canaries in them."""

    kind: str
    practice: Practice
    correlation: Correlation
    consent: Consent | None
    canaries: dict[str, Canary]

    def pages(self) -> Iterator[models.Model]:
        """One record of each model that belongs to the practice, for visits to its pages."""
        by_model = {type(record): record for record in self.records()}
        yield from by_model.values()
        yield from self.practice.predictions.all()[:1]

    def records(self) -> Iterator[models.Model]:
        """Every record that belongs to the practice."""
        yield from (self.practice, self.practice.item, self.correlation, self.practice.sources.get())
        yield from self.practice.dosage_profiles.all()
        yield from self.practice.practice_indications.all()
        yield from self.correlation.evidence_links.all()
        if hasattr(self.practice.item, "attribution"):
            yield self.practice.item.attribution
        if self.consent is not None:
            yield self.consent
            yield self.consent.consent_items.get()


def new_canary() -> str:
    """A string that occurs nowhere else; it is a valid slug."""
    return f"{PREFIX}-{uuid.uuid4().hex[:16]}"


def plant(kind: str, target: GenomicTarget) -> Planted:
    """A practice of the kind, associated with the target, that no purpose but curation may use, if any."""
    canaries: dict[str, Canary] = {}
    item = make_item(
        community=make_community(),
        basis=Basis.CONSENT if kind == "expired" else Basis.DOCUMENTED,
        statement="" if kind == "unattributed" else "to be replaced",
    )
    practice = make_practice(item=item)
    correlation = make_correlation(practice, target, evidence_path=[])
    correlation.evidence_links.create(evidence=practice.sources.get())
    planted = Planted(kind, practice, correlation, _consent(kind, item), canaries)
    for record in planted.records():
        _fill(record, kind, canaries)
    correlation.evidence_path = [
        {part: _planted(kind, f"evidence_path.{part}", canaries) for part in ("kind", "id", "label", "source")}
    ]
    correlation.save()
    _take_out_of_use(planted)
    return planted


def plant_every_kind(target: GenomicTarget) -> list[Planted]:
    """One practice of each kind."""
    return [plant(kind, target) for kind in KINDS]


def plant_sacred_names() -> dict[str, Canary]:
    """Sacred items that never were practices: protected names and nothing else."""
    canaries: dict[str, Canary] = {}
    names = [_planted("sacred", "GovernedItem.protected_names", canaries) for _ in range(2)]
    GovernedItem.objects.create(
        community=make_community(), sacred_status=SacredStatus.SACRED.value, protected_names=names
    )
    return canaries


def canaries_of(planted: list[Planted]) -> dict[str, Canary]:
    """All canaries of several practices."""
    return {text: canary for entry in planted for text, canary in entry.canaries.items()}


def _planted(kind: str, field: str, canaries: dict[str, Canary]) -> str:
    text = new_canary()
    canaries[text] = Canary(kind, field)
    return text


def _fill(record: models.Model, kind: str, canaries: dict[str, Canary]) -> None:
    """A canary in each field that takes free text: a text field added later is filled as well."""
    for field in record._meta.concrete_fields:
        name = f"{record._meta.object_name}.{field.name}"
        if isinstance(field, ArrayField):
            if not field.base_field.choices and isinstance(field.base_field, models.CharField):
                setattr(record, field.name, [_planted(kind, name, canaries)])
        elif isinstance(field, models.CharField | models.TextField) and not field.choices and _has_room(field):
            text = _planted(kind, name, canaries)
            setattr(record, field.name, f"10.1234/{text}" if field.name == "doi" else text)
    record.save()


def _has_room(field: models.Field) -> bool:
    is_hash = field.name.endswith("sha256")
    return not is_hash and (field.max_length is None or field.max_length >= _LENGTH)


def _consent(kind: str, item: GovernedItem) -> Consent | None:
    state = {"denied": ConsentState.DENIED, "withdrawn": ConsentState.GRANTED, "expired": ConsentState.GRANTED}
    if kind not in state:
        return None
    now = timezone.now()
    return consent_record(
        community=item.community,
        items=[item],
        purposes=_NOT_CURATION,
        audiences=list(Audience),
        state=state[kind],
        valid_from=now - timedelta(days=9),
        valid_until=now - timedelta(days=1) if kind == "expired" else None,
        document_reference="to be replaced",
        recorded_by="test",
    )


def _take_out_of_use(planted: Planted) -> None:
    item = planted.practice.item
    if planted.kind == "sacred":
        item_set_status(item=item, status=SacredStatus.SACRED)
        item.refresh_from_db()
        for name in item.protected_names:
            planted.canaries[name] = Canary("sacred", "GovernedItem.protected_names")
    elif planted.kind == "objected":
        reference = _planted("objected", "GovernedItem.objection_reference", planted.canaries)
        item_record_objection(item=item, reference=reference, reason="synthetic reason")
    elif planted.kind == "withdrawn":
        assert planted.consent is not None
        consent_withdraw(consent=planted.consent, reason="synthetic reason")
