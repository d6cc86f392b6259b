"""The proof of an event, as far as this site can check it itself, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ethics.audit.proofs import InclusionProof, NoProof, inclusion_proof
from ethics.audit.tree import leaf_hash
from ethics.models import AuditEvent


@dataclass(frozen=True)
class Figure:
    """A figure with its name; ``note`` says more, ``machine`` values are hashes and identifiers."""

    name: str
    value: str
    machine: bool = False
    note: str = ""


@dataclass(frozen=True)
class ShownProof:
    """What the page says. ``tone`` is 'good', 'warn' or 'bad'; ``path`` holds the hashes from the leaf to the root."""

    tone: str
    verdict: str
    explanation: str
    figures: Sequence[Figure] = ()
    path: Sequence[str] = ()


NOT_SEALED = ShownProof(
    "warn",
    "not sealed yet",
    "The sealer has not given this event its place in the tree yet. That takes a few seconds; load the page again.",
)


def event_proof(event: AuditEvent) -> ShownProof:
    """Look the proof up, and hash again what the log holds."""
    try:
        proof = inclusion_proof(event.event_id)
    except NoProof:
        return NOT_SEALED
    figures = _figures(proof)
    path = [entry.hex() for entry in proof.path]
    if leaf_hash(event.canonical.encode()) != proof.leaf_hash:
        return ShownProof(
            "bad", "text and leaf differ", "The stored text is not the text that was sealed.", figures, path
        )
    if not proof.holds():
        return ShownProof(
            "bad", "path does not lead to the root", "The stored tree is not the tree that was signed.", figures, path
        )
    return ShownProof(
        "good",
        "in the signed log",
        "Hashed again just now: the text gives the leaf, and the leaf with the path gives the root of the signed head. "
        "An evidence pack lets anybody check the same, and the signature, without this site.",
        figures,
        path,
    )


def _figures(proof: InclusionProof) -> list[Figure]:
    head = proof.head
    return [
        Figure("Leaf", f"{proof.index:,} of {head.tree_size:,}"),
        Figure("Leaf hash", proof.leaf_hash.hex(), machine=True),
        Figure("Root of the head", bytes(head.root_hash).hex(), machine=True),
        Figure("Head signed", f"{head.signed_at:%Y-%m-%d %H:%M:%S} UTC"),
        Figure("Signing key", head.key_id, machine=True),
        Figure("Signature", bytes(head.signature).hex(), machine=True),
    ]
