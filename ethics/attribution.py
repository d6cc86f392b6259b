"""What must stand beside every output that uses a governed item."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from ethics.models import GovernedItem
from ethics.policy import Audience, Decision, Purpose, decide
from ethics.querysets import facts_of


class CommunityCredit(TypedDict):
    """The community that is credited."""

    slug: str
    name: str


class LabelNotice(TypedDict):
    """A TK or BC label as shown: the community's own text where it gave one. ``version`` names that text in its history."""

    code: str
    name: str
    meaning: str
    source: str
    version: str


class BasisOfUse(TypedDict):
    """On what the use rests: a documented source, or the reference of a consent."""

    kind: str
    source: str
    consent_reference: str


class AttributionStatement(TypedDict):
    """Attribution of one governed item, complete or not at all."""

    community: CommunityCredit
    statement: str
    credited_name: str
    labels: list[LabelNotice]
    basis: BasisOfUse


def attribution_for(
    item: GovernedItem, purpose: Purpose, audience: Audience, now: datetime
) -> AttributionStatement | None:
    """The attribution that goes with this use, or None where the policy refuses the use.

    ``item`` should come from ``GovernedItem.objects.with_policy_facts()``, which fetches all that is read here.
    """
    decision = decide(facts_of(item), purpose, audience, now)
    if not decision.allowed:
        return None
    return {
        "community": {"slug": item.community.slug, "name": item.community.name},
        "statement": item.attribution.statement,
        "credited_name": item.attribution.credited_name,
        "labels": [
            {
                "code": entry.label.code,
                "name": entry.label.name,
                "meaning": entry.community_text or entry.label.meaning,
                "source": entry.label.source_url,
                "version": str(entry.version if entry.community_text else entry.label.version),
            }
            for entry in item.item_labels.all()
        ],
        "basis": _basis(item, decision),
    }


def _basis(item: GovernedItem, decision: Decision) -> BasisOfUse:
    if decision.consent_reference:
        return {"kind": "consent", "source": "", "consent_reference": decision.consent_reference}
    return {"kind": "documented_and_published", "source": item.basis_source, "consent_reference": ""}
