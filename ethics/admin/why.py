"""Why an item may be used or not: a matrix of purposes and audiences, and rule by rule for the chosen use.

For officers and stewards; everybody else finds no such page. It names rules, consents and labels, and no knowledge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import action

from ethics.admin.form_page import object_url
from ethics.admin.visibility import sees_withheld
from ethics.models import Consent, GovernedItem
from ethics.policy import (
    Audience,
    Decision,
    ItemFacts,
    LabelRule,
    Purpose,
    Reason,
    RuleVerdict,
    Verdict,
    decide,
    explain,
)
from ethics.querysets import facts_of

if TYPE_CHECKING:
    from ethics.admin.base import PlatformAdmin as _Admin
else:
    _Admin = object

Choice = TypeVar("Choice", bound=StrEnum)

_LABEL_REASONS = {
    Reason.SECRET_LABEL: LabelRule.SECRET,
    Reason.COMMUNITY_ONLY: LabelRule.COMMUNITY_ONLY,
    Reason.NON_COMMERCIAL: LabelRule.NON_COMMERCIAL,
}


@dataclass(frozen=True)
class Cell:
    """The decision over one use, and whether it is the one that is explained."""

    purpose: Purpose
    audience: Audience
    decision: Decision
    chosen: bool

    @property
    def reason(self) -> str:
        """The reason in words."""
        return self.decision.reason.value.replace("_", " ")


@dataclass(frozen=True)
class ExplainedRule:
    """What one rule says, with the consents and labels that it rests on."""

    number: int
    said: RuleVerdict
    consents: Sequence[tuple[str, str]]
    labels: Sequence[str]


class WhyPage(_Admin):
    """Adds the page, and a button to it, to the admin of governed items."""

    why_action = "why"

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        actions: list[Any] = super().get_actions_detail(request, object_id)
        if sees_withheld(request.user):
            return actions
        return [entry for entry in actions if entry.path != self.why_action]

    @action(description="Why?", url_path=why_action)
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Explain the policy's answers over an item."""
        if not sees_withheld(request.user):
            raise Http404("No such page.")
        item: GovernedItem = self.record_or_404(request, object_id)
        self.log_opening(request, object_id)
        now = timezone.now()
        purpose = _chosen(Purpose, request.GET.get("purpose"), Purpose.PREDICTION)
        audience = _chosen(Audience, request.GET.get("audience"), Audience.COMMERCIAL)
        facts = facts_of(item)
        context = {
            **self.admin_site.each_context(request),
            "title": "Why this item may be used or not",
            "opts": self.opts,
            "original": item,
            "item": item,
            "audiences": list(Audience),
            "rows": _matrix(facts, purpose, audience, now),
            "cell": Cell(purpose, audience, decide(facts, purpose, audience, now), chosen=True),
            "rules": _explained(item, facts, purpose, audience, now),
            "asked_at": now,
            "back_url": object_url(item),
        }
        return TemplateResponse(request, "admin/ethics/why.html", context)


def _chosen(kind: type[Choice], value: str | None, default: Choice) -> Choice:
    """The member of that value; an absent or unknown one gives the default."""
    return kind(value) if value in {member.value for member in kind} else default


def _matrix(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> list[tuple[Purpose, list[Cell]]]:
    return [
        (
            row,
            [
                Cell(row, column, decide(facts, row, column, now), (row, column) == (purpose, audience))
                for column in Audience
            ],
        )
        for row in Purpose
    ]


def _explained(
    item: GovernedItem, facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime
) -> list[ExplainedRule]:
    verdicts = explain(facts, purpose, audience, now)
    references = {reference for said in verdicts for reference in said.consent_references}
    consents = {
        str(consent.public_id): (object_url(consent), f"{consent} ({consent.document_reference})")
        for consent in Consent.objects.filter(public_id__in=references).select_related("community")
    }
    return [
        ExplainedRule(
            number,
            said,
            [consents[reference] for reference in said.consent_references],
            _labels_behind(item, said),
        )
        for number, said in enumerate(verdicts, start=1)
    ]


def _labels_behind(item: GovernedItem, said: RuleVerdict) -> list[str]:
    rule = _LABEL_REASONS.get(said.reason) if said.verdict == Verdict.REFUSES else None
    return [str(entry.label) for entry in item.item_labels.all() if rule is not None and entry.label.rule == rule.value]
