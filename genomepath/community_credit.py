"""How a community wishes to be credited, for clients that may show at least one of its practices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ethics import audit
from ethics.attribution import attribution_for
from ethics.models import Community, GovernedItem
from ethics.policy import Audience, Purpose
from genomepath.answers import NOT_MEDICAL_ADVICE


class CommunityNotFound(Exception):
    """There is no such community, or nothing of it may be shown to the audience; the two are told apart nowhere."""


def community_credit(*, slug: str, audience: Audience, context: audit.AuditContext, now: datetime) -> dict[str, Any]:
    """The community's name, its statement, and the labels on what of it may be shown; recorded.

    Raises:
        CommunityNotFound: see there.
    """
    items = list(
        GovernedItem.objects.permitted_for(Purpose.DISPLAY, audience, now)
        .filter(community__slug=slug, practice__isnull=False)
        .with_policy_facts()
    )
    attributed = [attribution_for(item, Purpose.DISPLAY, audience, now) for item in items]
    community = Community.objects.filter(slug=slug).first()
    if community is None or not items:
        raise CommunityNotFound
    labels = {
        (label["code"], label["version"]): label
        for attribution in attributed
        if attribution is not None
        for label in attribution["labels"]
    }
    audit.record(
        "attribution.read",
        subjects=[community.slug],
        communities=[community.slug],
        purpose=Purpose.DISPLAY,
        context=context,
    )
    return {
        "community": {"slug": community.slug, "name": community.name, "region": community.region},
        "statement": community.statement,
        "labels": [labels[key] for key in sorted(labels)],
        "note": NOT_MEDICAL_ADVICE,
    }
