"""What happens when a governance decision takes something out of use: a case is opened, and the other apps react.

Ethics imports no sibling; they register here at start-up. Reactions run inside the deciding transaction, so they only note
what must happen (mark rows, enqueue on commit) and never talk to a network.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

from ethics.models import Consent, WithdrawalCause
from ethics.withdrawals import withdrawal_open

WithdrawalReaction = Callable[[Collection[UUID]], None]

_reactions: list[WithdrawalReaction] = []


def on_items_withheld(reaction: WithdrawalReaction) -> WithdrawalReaction:
    """Register a function that gets the public ids of items that just left use. Usable as a decorator."""
    if reaction not in _reactions:
        _reactions.append(reaction)
    return reaction


def react_to_withheld_items(
    public_ids: Collection[UUID],
    *,
    cause: WithdrawalCause = WithdrawalCause.RECORD,
    consent: Consent | None = None,
) -> None:
    """Open the withdrawal case and run every registered reaction. An exception in one undoes the whole decision."""
    withdrawal_open(public_ids=public_ids, cause=cause, consent=consent)
    for reaction in _reactions:
        reaction(public_ids)
