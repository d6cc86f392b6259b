"""The evidence pack: events of the log with everything that a stranger needs to verify them without trusting the platform.

The format is described in docs/evidence_pack.md; ``verify.py`` reads it.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import IO

from django.db import connection, transaction

from ethics.audit.context import AuditContext
from ethics.audit.filters import AuditFilters
from ethics.audit.heads_file import HeadsFileError, LogTailLost
from ethics.audit.pack_contents import PackError
from ethics.audit.pack_writing import PackWriting, Progress, stated
from ethics.audit.proofs import NoProof
from ethics.audit.recording import record
from ethics.audit.sealing import SealerOutOfStep, TreeBroken, seal_round
from ethics.audit.signing import AuditKeyError
from ethics.models import ApiClient, AuditEvent, AuditHead, AuditIdentity, Community

__all__ = ["EvidencePack", "PackError", "evidence_pack_write"]


@dataclass(frozen=True)
class EvidencePack:
    """A pack that was written.

    ``not_sealed`` events pass the filters and are not in it: they are not in the tree yet. Nor are the ``not_here`` events
    of the log that were moved to the archive, whether they would pass or not.
    """

    path: Path
    sha256: str
    size: int
    events: int
    heads: int
    heads_left_out: int
    tree_size: int
    not_sealed: int
    not_here: int
    fingerprint: str


def evidence_pack_write(
    *,
    filters: AuditFilters,
    destination: Path,
    requested_by: AuditContext,
    disclose: bool = True,
    overwrite: bool = False,
    tree_size: int | None = None,
    progress: Progress = lambda events: None,
) -> EvidencePack:
    """Write the sealed events that pass the filters as a pack, and record in the same transaction that it was written.

    What waits to be sealed is sealed first where this process can be the sealer. ``disclose`` puts names and reasons in
    clear text into the pack; ``tree_size`` makes it as of an earlier signed head. The file appears whole or not at all,
    never without its event, and is its owner's alone to read. ``progress`` is called with the number of events written
    since the last call.

    Raises:
        PackError: the file exists, its folder can't be written, a filter names nothing known, no event passes, the
            signing key is not at hand, or the log does not verify.
    """
    _check_destination(destination, overwrite=overwrite)
    _check_known(filters)
    _seal()
    with _beside(destination) as file:
        with transaction.atomic():
            writing = _writing(filters, tree_size, disclose=disclose)
            pack = _written(writing, file, destination, progress)
            record(
                "evidence_pack.exported",
                communities=[filters.community] if filters.community else [],
                details={
                    "filters": [f"{name}={value}" for name, value in sorted(stated(filters).items())],
                    "events": pack.events,
                    "tree_size": pack.tree_size,
                    "sha256": pack.sha256,
                },
                context=requested_by,
            )
        _check_destination(destination, overwrite=overwrite)
        Path(file.name).replace(destination)
    return pack


def _seal() -> None:
    """Seal what waits, unless another process is the sealer, or the caller's own transaction is still open."""
    if connection.in_atomic_block:
        return
    try:
        seal_round()
    except SealerOutOfStep:
        return
    except (AuditKeyError, HeadsFileError, LogTailLost, TreeBroken) as error:
        raise PackError(str(error)) from error


def _writing(filters: AuditFilters, tree_size: int | None, *, disclose: bool) -> PackWriting:
    try:
        return PackWriting(filters, _head(tree_size), disclose=disclose)
    except AuditKeyError as error:
        raise PackError(
            f"A pack is signed with the log's key, which this process does not have. ({error}) "
            "Run manage.py export_evidence_pack where the sealer runs."
        ) from error


def _written(writing: PackWriting, file: IO[bytes], destination: Path, progress: Progress) -> EvidencePack:
    try:
        writing.write(file, progress)
    except NoProof as error:
        raise PackError(f"The log does not verify: {error}. Run verify_audit.") from error
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    counts = writing.manifest["counts"]
    return EvidencePack(
        path=destination,
        sha256=file_digest(file, "sha256").hexdigest(),  # type: ignore[arg-type]
        size=size,
        events=counts["events"],
        heads=counts["heads"],
        heads_left_out=counts["heads_left_out"],
        tree_size=writing.head.tree_size,
        not_sealed=counts["not_sealed"],
        not_here=counts["not_here"],
        fingerprint=writing.log_id,
    )


@contextmanager
def _beside(destination: Path) -> Iterator[IO[bytes]]:
    """A new file in the folder of the destination, gone at the end unless it was renamed."""
    try:
        with tempfile.NamedTemporaryFile(
            prefix=f".{destination.name}.", suffix=".part", dir=destination.parent, delete=False
        ) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)
    except OSError as error:
        raise PackError(f"{destination} can't be written: {error.strerror or error}.") from error


def _check_destination(destination: Path, *, overwrite: bool) -> None:
    try:
        is_folder, exists, has_folder = destination.is_dir(), destination.exists(), destination.parent.is_dir()
    except OSError as error:
        raise PackError(f"{destination} can't be written: {error.strerror}.") from None
    if is_folder:
        raise PackError(f"{destination} is a folder.")
    if exists and not overwrite:
        raise PackError(f"{destination} exists.")
    if not has_folder:
        raise PackError(f"There is no folder {destination.parent}.")


def _check_known(filters: AuditFilters) -> None:
    """Tell a misspelt name from one that nothing happened to."""
    events = AuditEvent.objects.order_by()
    known = {
        "community": Community.objects.filter(slug=filters.community).exists()
        or events.filter(community_ids__contains=[filters.community]).exists(),
        "client": events.filter(client_id=filters.client).exists() or _is_client(filters.client),
        "actor": AuditIdentity.objects.filter(name=filters.actor).exists(),
    }
    for name, is_known in known.items():
        if getattr(filters, name) and not is_known:
            raise PackError(f"There is no {name} {getattr(filters, name)!r}.")


def _is_client(public_id: str) -> bool:
    try:
        return ApiClient.objects.filter(public_id=uuid.UUID(public_id)).exists()
    except ValueError:
        return False


def _head(tree_size: int | None) -> AuditHead:
    heads = AuditHead.objects.order_by("-tree_size")
    head = heads.first() if tree_size is None else heads.filter(tree_size=tree_size).first()
    if head is None and tree_size is not None:
        raise PackError(f"The log has no signed head of {tree_size} events.")
    if head is None:
        raise PackError("Nothing of the log is sealed yet, so that nothing can be proved: start the sealer.")
    return head
