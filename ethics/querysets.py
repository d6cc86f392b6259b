"""The policy in SQL: the same answer as ``ethics.policy.decide``, for whole tables."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ethics.policy import (
    Audience,
    Basis,
    ConsentFacts,
    ConsentState,
    ItemFacts,
    LabelRule,
    Purpose,
    SacredStatus,
)

if TYPE_CHECKING:
    from ethics.models import Consent, GovernedItem


class GovernedItemQuerySet(QuerySet["GovernedItem"]):
    """Reads of governed items. Every surface that shows knowledge starts from ``permitted_for``."""

    def permitted_for(self, purpose: Purpose, audience: Audience, now: datetime | None = None) -> Self:
        """The items that the policy allows for this purpose and audience at ``now`` (default: the current time)."""
        now = now or timezone.now()
        permitted = (
            self.exclude(sacred_status=SacredStatus.SACRED.value)
            .exclude(Exists(_labels(LabelRule.SECRET)))
            .filter(objection_at__isnull=True)
            .exclude(Exists(_refusing_consents(purpose, audience)))
        )
        if purpose == Purpose.CURATION:
            return permitted
        permitted = permitted.filter(attribution__isnull=False)
        if audience != Audience.COMMUNITY:
            permitted = permitted.exclude(Exists(_labels(LabelRule.COMMUNITY_ONLY)))
        if audience == Audience.COMMERCIAL:
            permitted = permitted.exclude(Exists(_labels(LabelRule.NON_COMMERCIAL)))
        documented = Q(basis=Basis.DOCUMENTED.value, sacred_status=SacredStatus.NONE.value) & ~Q(basis_source="")
        return permitted.filter(documented | Q(Exists(_granting_consents(purpose, audience, now))))

    def with_policy_facts(self) -> Self:
        """Fetch what ``facts_of`` and the attribution of an answer need, in a fixed number of queries."""
        return self.select_related("community", "attribution").prefetch_related(
            "item_labels__label", "consents", "community__consents"
        )


def facts_of(item: GovernedItem) -> ItemFacts:
    """The facts on which ``ethics.policy.decide`` decides over this item."""
    consents = {consent.pk: consent for consent in item.consents.all() if consent.community_id == item.community_id}
    consents.update({consent.pk: consent for consent in item.community.consents.all() if consent.scope == "community"})
    return ItemFacts(
        sacred_status=SacredStatus(item.sacred_status),
        basis=Basis(item.basis),
        has_basis_source=bool(item.basis_source),
        has_attribution=hasattr(item, "attribution"),
        has_objection=item.objection_at is not None,
        label_rules=frozenset(LabelRule(entry.label.rule) for entry in item.item_labels.all()),
        consents=tuple(_consent_facts(consents[key]) for key in sorted(consents)),
    )


def _consent_facts(consent: Consent) -> ConsentFacts:
    return ConsentFacts(
        state=ConsentState(consent.state),
        purposes=frozenset(Purpose(purpose) for purpose in consent.purposes),
        audiences=frozenset(Audience(audience) for audience in consent.audiences),
        valid_from=consent.valid_from,
        valid_until=consent.valid_until,
        superseded=consent.superseded_by_id is not None,
        reference=str(consent.public_id),
    )


def _labels(rule: LabelRule) -> QuerySet:
    return apps.get_model("ethics", "ItemLabel").objects.filter(item=OuterRef("pk"), label__rule=rule.value)


def _covering_consents() -> QuerySet:
    """Consents of the item's own community that speak of all its items or name this one, and still count."""
    consent_items = apps.get_model("ethics", "ConsentItem").objects.filter(
        consent=OuterRef("pk"), item=OuterRef(OuterRef("pk"))
    )
    return (
        apps.get_model("ethics", "Consent")
        .objects.filter(community=OuterRef("community"), superseded_by__isnull=True)
        .filter(Q(scope="community") | Q(Exists(consent_items)))
    )


def _granting_consents(purpose: Purpose, audience: Audience, now: datetime) -> QuerySet:
    return (
        _covering_consents()
        .filter(
            state=ConsentState.GRANTED.value,
            purposes__contains=[purpose.value],
            audiences__contains=[audience.value],
            valid_from__lte=now,
        )
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now))
    )


def _refusing_consents(purpose: Purpose, audience: Audience) -> QuerySet:
    named = Q(purposes__contains=[purpose.value], audiences__contains=[audience.value])
    refused = Q(state__in=[ConsentState.DENIED.value, ConsentState.WITHDRAWN.value]) & named
    if purpose == Purpose.CURATION:
        refused |= Q(state=ConsentState.WITHDRAWN.value)
    return _covering_consents().filter(refused)
