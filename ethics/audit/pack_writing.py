"""Writes the files of an evidence pack, one after the other, from a signed head."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from django.db.models import Exists, OuterRef

from ethics.audit import verify
from ethics.audit.canonical import canonical_text
from ethics.audit.filters import AuditFilters
from ethics.audit.pack_archive import PackArchive
from ethics.audit.pack_contents import (
    PackError,
    Tally,
    consistency_lines,
    disclosed_actors,
    head_lines,
    heads_in_scope,
    key_lines,
    packed_events,
)
from ethics.audit.pack_summary import summary_html
from ethics.audit.signing import log_id, moment_text, private_key, signing_key
from ethics.models import AuditEvent, AuditHead, AuditIdentity, AuditLeaf, PolicyRevision

_PROGRAM = Path(verify.__file__)
_IN_MEMORY = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
Progress = Callable[[int], object]


class PackWriting:
    """One pack in the making; afterwards ``tally``, ``heads`` and ``manifest`` say what it holds."""

    def __init__(self, filters: AuditFilters, head: AuditHead, *, disclose: bool) -> None:
        """Find the keys.

        Raises:
            AuditKeyError: the private key that signs the log is not at hand.
        """
        self.filters, self.head, self.disclose = filters, head, disclose
        self.log_id, self.key = log_id(), signing_key()
        self._private = private_key(self.key)
        self.tally = Tally()
        self.heads: list[AuditHead] = []
        self.manifest: dict[str, Any] = {}

    def write(self, file: IO[bytes], progress: Progress) -> None:
        """Write the whole pack and flush it to the disk.

        Raises:
            PackError: no event passes the filters, or the log does not verify.
        """
        with PackArchive(file) as archive:
            self._fill(archive, Path(file.name).parent, progress)
        file.flush()
        os.fsync(file.fileno())

    def _fill(self, archive: PackArchive, folder: Path, progress: Progress) -> None:
        with (
            tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder)) as proofs,
            tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder)) as reasons,
        ):
            archive.add("events.jsonl", self._events(proofs, reasons, progress))
            if not self.tally.events:
                raise PackError(self._nothing())
            archive.add("proofs.jsonl", _whole(proofs))
            archive.add("disclosures.jsonl", self._disclosures(reasons))
        self.heads, left_out = heads_in_scope(self.tally.first_leaf, self.head)
        archive.add("heads.jsonl", head_lines(self.heads, self.log_id))
        archive.add("consistency.jsonl", consistency_lines(self.heads))
        archive.add("keys.jsonl", key_lines())
        archive.add("verify.py", [_PROGRAM.read_bytes()])
        self.manifest = self._manifest(left_out)
        archive.add("summary.html", [summary_html(self.tally, self.manifest).encode()])
        self._sign(archive)

    def _events(self, proofs: IO[bytes], reasons: IO[bytes], progress: Progress) -> Iterator[bytes]:
        """The lines of the events; those of their proofs and reasons go to one side until their file is due."""
        for packed in packed_events(self.filters, self.head, self.tally, disclose=self.disclose):
            proofs.write(packed.proof)
            reasons.write(packed.reason)
            progress(1)
            yield packed.line

    def _disclosures(self, reasons: IO[bytes]) -> Iterator[bytes]:
        if self.disclose:
            yield from disclosed_actors(self.tally.actors)
            yield from _whole(reasons)

    def _manifest(self, heads_left_out: int) -> dict[str, Any]:
        return {
            "as_of": moment_text(self.head.signed_at),
            "counts": {
                "events": self.tally.events,
                "heads": len(self.heads),
                "heads_left_out": heads_left_out,
                "not_here": not_here(self.head.tree_size),
                "not_sealed": not_sealed(self.filters),
            },
            "filters": stated(self.filters),
            "format": verify.FORMAT,
            "head": {"root_hash": bytes(self.head.root_hash).hex(), "tree_size": self.head.tree_size},
            "log_id": self.log_id,
            "policy_revision": PolicyRevision.current(),
        }

    def _sign(self, archive: PackArchive) -> None:
        text = canonical_text({**self.manifest, "files": archive.files}).encode()
        signature = self._private.sign(verify.FORMAT.encode() + b"\n" + text)
        archive.add(verify.MANIFEST, [text])
        archive.add(
            verify.SIGNATURE, [canonical_text({"key_id": self.key.key_id, "signature": signature.hex()}).encode()]
        )

    def _nothing(self) -> str:
        waiting = not_sealed(self.filters)
        return (
            f"All {waiting} events that pass the filters still wait to be sealed: start the sealer, then try again."
            if waiting
            else "No event passes the filters."
        )


def stated(filters: AuditFilters) -> dict[str, str]:
    """The filters as the manifest and the log name them: moments whole and in UTC, an actor by commitment."""
    texts = filters.as_query()
    for name, moment in (("since", filters.since), ("until", filters.until)):
        if moment is not None:
            texts[name] = moment_text(moment)
    if filters.actor:
        texts["actor"] = AuditIdentity.objects.values_list("commitment", flat=True).get(name=filters.actor)
    return texts


def not_sealed(filters: AuditFilters) -> int:
    """How many events pass the filters and are no leaf yet."""
    leaf = AuditLeaf.objects.filter(event_id=OuterRef("event_id"))
    return filters.apply(AuditEvent.objects.filter(~Exists(leaf))).count()


def not_here(tree_size: int) -> int:
    """How many of the first ``tree_size`` leaves have their event no longer in the database, but in the archive."""
    event = AuditEvent.objects.filter(event_id=OuterRef("event_id"))
    return AuditLeaf.objects.filter(~Exists(event), index__lt=tree_size).count()


def _whole(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
