"""The gate of free text: what a text may not be about, for an audience, at a moment.

A text that names a record which the policy refuses, or comes close to a withheld, non-sacred one, gets the answer of a text
about nothing known. Every check runs for every text, so that the time taken does not tell one reason from another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from correlations.models import Practice
from correlations.querysets import PracticeQuerySet
from ethics import audit
from ethics.models import GovernedItem
from ethics.policy import Audience, LabelRule, Purpose, SacredStatus
from genomepath.ml.embedding import EMBEDDING_SIZE, TextEncoder
from genomepath.text_door import (
    FAR_FROM_KNOWN,
    NEAR_WITHHELD,
    ProtectedNames,
    TextVerdict,
    closeness,
    practice_views,
    segments,
)
from genomepath.validity import Validity


@dataclass(frozen=True)
class _Compared:
    """What texts are compared with for an audience: views of records as unit vectors [V, E], and protected names.

    The views of permitted records come first; ``withheld`` are the public ids behind the others, in their order. ``digests``
    tell which view is which without its text.
    """

    known: int
    withheld: tuple[str, ...]
    vectors: NDArray[np.float32]
    digests: tuple[bytes, ...]
    names: ProtectedNames
    validity: Validity


class TextGate:
    """Judges texts with one encoder. What they are compared with stays in memory as long as it holds; no text does."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._compared: dict[Audience, _Compared] = {}

    def judge(
        self,
        *,
        text: str,
        audience: Audience,
        policy_revision: int,
        now: datetime,
        encoder: TextEncoder | None = None,
    ) -> TextVerdict:
        """Judge a text. Nothing of the text or of the records that it meets leaves this method but public ids.

        ``encoder`` may be one over the gate's that knows the text already.
        """
        compared = self._compared.get(audience)
        if compared is None or not compared.validity.holds(policy_revision, now):
            compared = self._compared[audience] = self._read(audience, policy_revision, now)
        close = closeness((encoder or self._encoder).encode(segments(text)), compared.vectors)
        to_known, to_withheld = close[: compared.known], close[compared.known :]
        near = zip(compared.withheld, to_withheld >= NEAR_WITHHELD, strict=True)
        return TextVerdict(
            named=compared.names.items_named_in(text),
            near=frozenset(item for item, is_near in near if is_near),
            is_far=bool(to_known.max(initial=-1.0) < FAR_FROM_KNOWN),
        )

    def _read(self, audience: Audience, policy_revision: int, now: datetime) -> _Compared:
        validity = Validity.of_now(policy_revision, now)
        permitted = Practice.objects.permitted_for(Purpose.PREDICTION, audience, now)
        known = [view for practice in _with_fields(permitted) for view in _views(practice)]
        withheld = [
            (str(practice.item.public_id), view) for practice in _withheld(permitted) for view in _views(practice)
        ]
        views = [*known, *(view for _, view in withheld)]
        digests = tuple(hashlib.sha256(view.encode()).digest() for view in views)
        return _Compared(
            known=len(known),
            withheld=tuple(item for item, _ in withheld),
            vectors=self._vectors(views, digests),
            digests=digests,
            names=ProtectedNames(_names(audience, now)),
            validity=validity,
        )

    def _vectors(self, views: Sequence[str], digests: Sequence[bytes]) -> NDArray[np.float32]:
        """Vectors [V, E] of the views. Those that are compared with already, for whatever audience, are not encoded again:
        all take two seconds, and are read anew each minute."""
        vectors = {
            digest: vector
            for compared in tuple(self._compared.values())
            for digest, vector in zip(compared.digests, compared.vectors, strict=True)
        }
        lacking = {digest: view for digest, view in zip(digests, views, strict=True) if digest not in vectors}
        if lacking:
            vectors.update(zip(lacking, self._encoder.encode(list(lacking.values())), strict=True))
        if not digests:
            return np.zeros((0, EMBEDDING_SIZE), dtype=np.float32)
        return np.stack([vectors[digest] for digest in digests])


def text_refusal_record(
    *, verdict: TextVerdict, model_sha256: str, policy_revision: int, context: audit.AuditContext | None = None
) -> None:
    """Record that a text got no answer: which items it met and how, never the text."""
    audit.record(
        "text.withheld",
        subjects=sorted(verdict.named | verdict.near),
        purpose=Purpose.PREDICTION,
        model_sha256=model_sha256,
        details={"reasons": verdict.reasons},
        context=context,
        policy_revision=policy_revision,
    )


def _with_fields(practices: PracticeQuerySet) -> PracticeQuerySet:
    return practices.select_related("item").prefetch_related("practice_indications__condition")


def _withheld(permitted: PracticeQuerySet) -> PracticeQuerySet:
    """Practices that are withheld but not sacred or secret: of those nothing but their names is ever looked at."""
    return _with_fields(
        Practice.objects.exclude(pk__in=permitted)
        .exclude(item__sacred_status=SacredStatus.SACRED.value)
        .exclude(item__item_labels__label__rule=LabelRule.SECRET.value)
    )


def _views(practice: Practice) -> list[str]:
    return practice_views(
        title=practice.title,
        indications=[entry.condition.name for entry in practice.practice_indications.all()],
        preparation=practice.preparation,
        cultural_context=practice.cultural_context,
    )


def _names(audience: Audience, now: datetime) -> Iterator[tuple[str, str]]:
    """(public id, name): labels, titles and slugs of what the policy refuses, and the protected names of every item."""
    permitted = GovernedItem.objects.permitted_for(Purpose.PREDICTION, audience, now)
    for public_id, names in GovernedItem.objects.exclude(protected_names=[]).values_list(
        "public_id", "protected_names"
    ):
        yield from ((str(public_id), name) for name in names)
    refused = GovernedItem.objects.exclude(pk__in=permitted)
    for public_id, *names in refused.values_list("public_id", "display_label", "practice__title", "practice__slug"):
        yield from ((str(public_id), name) for name in names if name)
