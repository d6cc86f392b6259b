"""Checks the signing keys and the signatures of heads."""

from __future__ import annotations

from collections.abc import Iterator

from ethics.audit.findings import Findings
from ethics.audit.signing import endorsed_bytes, head_bytes, key_id_of, log_id_of, signature_is_valid
from ethics.models import AuditHead, AuditLeaf, AuditSigningKey


class HeadChecks:
    """Knows the keys that may sign: the first one, and each that the key before it endorsed."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._trusted: dict[str, bytes] = {}
        self._signs_from: dict[str, int | None] = {}
        self.log_id = ""
        self._read_keys()

    def between(self, start: int, end: int) -> Iterator[AuditHead]:
        """The heads of more than ``start`` and at most ``end`` records, in order."""
        return iter(list(AuditHead.objects.filter(tree_size__gt=start, tree_size__lte=end).order_by("tree_size")))

    def check(self, head: AuditHead, *, after: int) -> bool:
        """Whether a known key signed the head; what is wrong is reported at the first record that only it covers."""
        problem = self.problem_of(head)
        if problem:
            self._findings.add(
                f"the head of {head.tree_size} events {problem}", index=after, last_index=max(after, head.tree_size - 1)
            )
        return not problem

    def problem_of(self, head: AuditHead) -> str:
        """What is wrong with the signature; empty where nothing is."""
        public_key = self._trusted.get(head.key_id)
        if public_key is None:
            return f"is signed by the key {head.key_id}, which the log doesn't trust"
        signs_from = self._signs_from[head.key_id]
        if signs_from is None or head.tree_size < signs_from:
            return f"is signed by the key {head.key_id} before the event that announces it was sealed"
        signed = head_bytes(
            log_id=self.log_id,
            tree_size=head.tree_size,
            root_hash=bytes(head.root_hash),
            signed_at=head.signed_at,
        )
        if not signature_is_valid(public_key, signed, bytes(head.signature)):
            return f"does not have a right signature of the key {head.key_id}"
        return ""

    def _read_keys(self) -> None:
        """Follow the endorsements from the first key on; each key endorses one other at most."""
        keys = list(AuditSigningKey.objects.order_by("created_at"))
        first = [key for key in keys if key.endorsed_by_id is None]
        if len(first) > 1:
            self._findings.add(f"{len(first)} keys have no key before them: {', '.join(key.key_id for key in first)}")
        if first:
            self.log_id = log_id_of(bytes(first[0].public_key))
        following = {key.endorsed_by_id: key for key in keys}
        key = first[0] if first else None
        while key is not None and key.key_id not in self._trusted and self._is_right(key):
            self._trusted[key.key_id] = bytes(key.public_key)
            self._signs_from[key.key_id] = _signs_from(key)
            key = following.get(key.key_id)
        for key in keys:
            if key.key_id not in self._trusted:
                self._findings.add(f"the signing key {key.key_id} is not endorsed by a trusted key, or was changed")

    def _is_right(self, key: AuditSigningKey) -> bool:
        if key_id_of(bytes(key.public_key)) != key.key_id:
            return False
        if key.endorsed_by_id is None:
            return True
        endorser = self._trusted[key.endorsed_by_id]
        return signature_is_valid(endorser, endorsed_bytes(key), bytes(key.endorsement or b""))


def _signs_from(key: AuditSigningKey) -> int | None:
    """The size of the smallest log that a head of this key may sign; None while its announcement is not sealed."""
    if key.announced_in is None:
        return 1
    announced = AuditLeaf.objects.filter(event_id=key.announced_in).values_list("index", flat=True).first()
    return None if announced is None else announced + 1
