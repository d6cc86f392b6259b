"""Looks up the practice that a question names, with the same work whether it is withheld or does not exist.

Where the name is unknown, the policy is asked about a decoy: some practice that is withheld at this moment. One row comes
back in either case, and one identifier goes into the audit event, so that the time taken says nothing of the difference.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import Exists, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from correlations.models import Practice
from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose
from genomepath.answers import AnswerFrame

NO_SUCH_ITEM = "00000000-0000-0000-0000-000000000000"
"""Stands in the audit log for the item of a practice that does not exist."""
_MOST_DECOYS = 64


@dataclass(frozen=True)
class AskedPractice:
    """Whether the practice may be used, and the public id of its item; both outcomes of a refusal look alike."""

    may_be_used: bool
    item_public_id: str


def asked_practice(frame: AnswerFrame, slug: str) -> AskedPractice:
    """Ask the policy about the practice, or about a decoy where none has this slug."""
    known = Practice.objects.filter(slug=slug).values("pk")
    permitted = GovernedItem.objects.permitted_for(Purpose.PREDICTION, frame.audience, frame.now)
    decoys = _decoys(frame.policy_revision, frame.audience)
    found = (
        Practice.objects.filter(pk=Coalesce(Subquery(known), Value(random.choice(decoys))))  # noqa: S311  no secret
        .annotate(is_permitted=Exists(permitted.filter(pk=OuterRef("item_id"))))
        .values_list("slug", "is_permitted", "item__public_id")
        .first()
    )
    if found is None or found[0] != slug:
        return AskedPractice(False, NO_SUCH_ITEM)
    return AskedPractice(found[1], str(found[2]))


@lru_cache(maxsize=16)
def _decoys(policy_revision: int, audience: Audience) -> list[int]:
    """Practices that are withheld from the audience; where none is, there is nothing to hide and any row will do.

    Kept until the policy revision rises. What time alone withholds since then is no worse a decoy for being absent here.
    """
    permitted = Practice.objects.permitted_for(Purpose.PREDICTION, audience)
    withheld = Practice.objects.exclude(pk__in=permitted).order_by("?").values_list("pk", flat=True)
    return list(withheld[:_MOST_DECOYS]) or list(Practice.objects.values_list("pk", flat=True)[:1]) or [0]
