"""What stands behind every answer to a free text: whose knowledge the model learned from, and what is known of its targets.

It is the same for all texts, so that it is read once for an audience and remembered as long as it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from correlations.models import GenomicTarget
from ethics.models import Community, GovernedItem
from ethics.policy import Audience, Purpose
from genomepath.answers import AnswerContent, synergies_among, target_content
from genomepath.models import ModelVersion
from genomepath.validity import Validity


@dataclass(frozen=True)
class TextBackground:
    """The items that the model learned from and that may be credited, as (public id, community slug), and the credits.

    ``targets`` are by HGNC symbol; ``synergies`` are all documented interactions of two of them.
    """

    learned_from: Sequence[tuple[str, str]]
    credits: Sequence[AnswerContent]
    targets: Mapping[str, AnswerContent]
    synergies: Sequence[AnswerContent]
    validity: Validity

    @property
    def communities(self) -> list[str]:
        """Slugs of the communities that are credited, in order."""
        return sorted({slug for _, slug in self.learned_from})

    def synergies_among(self, symbols: Collection[str]) -> list[AnswerContent]:
        """Documented interactions of two targets that both stand among the symbols."""
        return [entry for entry in self.synergies if set(entry["targets"]) <= set(symbols)]


class TextBackgrounds:
    """The background of the version in service for each audience, as long as it holds."""

    def __init__(self) -> None:
        self._remembered: dict[Audience, tuple[int, TextBackground]] = {}

    def of(self, version: ModelVersion, *, audience: Audience, policy_revision: int, now: datetime) -> TextBackground:
        """What holds at this moment."""
        of_version, found = self._remembered.get(audience, (None, None))
        if found is None or of_version != version.pk or not found.validity.holds(policy_revision, now):
            found = _read(version, audience, policy_revision, now)
            self._remembered[audience] = version.pk, found
        return found

    def clear(self) -> None:
        """Forget all."""
        self._remembered.clear()


backgrounds = TextBackgrounds()


def _read(version: ModelVersion, audience: Audience, policy_revision: int, now: datetime) -> TextBackground:
    validity = Validity.of_now(policy_revision, now)
    trained_on = ModelVersion.objects.values_list("trained_on", flat=True).get(pk=version.pk)
    items = GovernedItem.objects.permitted_for(Purpose.PREDICTION, audience, now).filter(public_id__in=trained_on)
    learned_from = [(str(public_id), slug) for public_id, slug in items.values_list("public_id", "community__slug")]
    targets = {target.symbol: target for target in GenomicTarget.objects.all()}
    return TextBackground(
        learned_from=learned_from,
        credits=_credits({slug for _, slug in learned_from}),
        targets={symbol: target_content(target) for symbol, target in targets.items()},
        synergies=synergies_among([target.pk for target in targets.values()]),
        validity=validity,
    )


def _credits(communities: Collection[str]) -> list[dict[str, Any]]:
    return [
        {"slug": community.slug, "name": community.name, "statement": community.statement}
        for community in Community.objects.filter(slug__in=communities)
    ]
