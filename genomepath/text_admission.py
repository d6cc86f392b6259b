"""The gate of free text: what a text may not be about, for an audience, at a moment.

A text that names a record which the policy refuses, or comes close to a withheld, non-sacred one, gets the answer of a text
about nothing known. Every check runs for every text, so that the time taken does not tell one reason from another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from correlations.models import Practice
from correlations.querysets import PracticeQuerySet
from ethics import audit
from ethics.models import GovernedItem
from ethics.policy import Audience, LabelRule, Purpose, SacredStatus
from genomepath.text_door import (
    FAR_FROM_KNOWN,
    NEAR_WITHHELD,
    ProtectedNames,
    TextVerdict,
    closeness,
    practice_views,
    segments,
)

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def text_judge(*, text: str, audience: Audience, now: datetime, encode: Encode) -> TextVerdict:
    """Judge a text. Nothing of the text or of the records that it meets leaves this function but public ids.

    Args:
        encode: turns N texts into unit vectors [N, E], for example ``MiniLMEncoder().encode``.
    """
    permitted = Practice.objects.permitted_for(Purpose.PREDICTION, audience, now)
    known = [view for practice in _with_fields(permitted) for view in _views(practice)]
    withheld = [(str(practice.item.public_id), view) for practice in _withheld(permitted) for view in _views(practice)]
    vectors = encode([*segments(text), *known, *(view for _, view in withheld)])
    parts = len(segments(text))
    close = closeness(vectors[:parts], vectors[parts:])
    to_known, to_withheld = close[: len(known)], close[len(known) :]
    return TextVerdict(
        named=_protected_names(audience, now).items_named_in(text),
        near=frozenset(item for (item, _), near in zip(withheld, to_withheld >= NEAR_WITHHELD, strict=True) if near),
        is_far=bool(to_known.max(initial=-1.0) < FAR_FROM_KNOWN),
    )


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


def _protected_names(audience: Audience, now: datetime) -> ProtectedNames:
    return ProtectedNames(_names(audience, now))


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
