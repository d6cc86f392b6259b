"""The sealer: gives every committed event its leaf, extends the tree, signs the head and copies it outside.

There is one at a time, by an advisory lock of its session. Writers take no lock and know nothing of it. A round finds new
events by transaction: whatever was not visible to the snapshot of the round before belongs to a transaction that was running
then or came later. So an event whose transaction committed late is found however small its id is. The first round after
a start looks at all events.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction
from django.utils import timezone

from ethics.audit.daily_counts import daily_counts_add
from ethics.audit.heads_file import FileHead, append_heads, reconcile_heads_file
from ethics.audit.proofs import stored_frontier
from ethics.audit.signing import head_bytes, log_id_of, private_key, signing_key
from ethics.audit.tree import Frontier, Node, leaf_hash
from ethics.models import AuditHead, AuditLeaf, AuditSigningKey
from ethics.models.audit_tree import LOWEST_STORED_LEVEL

BATCH_EVENTS = 10_000
_LEADER_LOCK = 0x61756C6F67

_SNAPSHOT = """
SELECT pg_snapshot_xmin(now_seen)::text::bigint, pg_snapshot_xmax(now_seen)::text::bigint,
       ARRAY(SELECT running::text::bigint FROM pg_snapshot_xip(now_seen) running)
FROM pg_current_snapshot() now_seen
"""
_UNSEALED = """
SELECT event.id, event.event_id, event.canonical FROM ethics_auditevent event
WHERE event.id > %(after)s AND {possibly_new}
AND NOT EXISTS (SELECT FROM ethics_auditleaf leaf WHERE leaf.event_id = event.event_id)
ORDER BY event.id LIMIT %(limit)s
"""
_ALL = _UNSEALED.format(possibly_new="true")
_NEW = _UNSEALED.format(possibly_new="(event.xid >= %(xmax)s OR event.xid = ANY(%(running)s))")


class SealerOutOfStep(Exception):
    """The tables of the tree are not what the sealer left there: it has to start again from what is stored."""


class TreeBroken(Exception):
    """The stored tree is not the one that the newest head signs: nothing may be sealed on it."""


@dataclass(frozen=True)
class Snapshot:
    """Which transactions had ended: all below ``xmin``, and all below ``xmax`` but the running ones."""

    xmin: int
    xmax: int
    running: tuple[int, ...]


class Sealer:
    """One process's attempt to be the sealer. Any exception ends its leadership; call ``lead`` again."""

    def __init__(self) -> None:
        self._session: Any = None
        self._frontier = Frontier()
        self._log_id = ""
        self._seen: Snapshot | None = None
        self._sealed_below = 0
        self._private: dict[str, Ed25519PrivateKey] = {}

    def lead(self) -> bool:
        """Become the leader, or stay it; False while another process is.

        Raises:
            AuditKeyError: no key can be made or used.
            LogTailLost, TreeBroken: the stored log is not what was signed; nothing may be sealed.
            HeadsFileError: the heads file can't be read or written.
        """
        connection.ensure_connection()
        if self._session is not None and self._session is connection.connection:
            return True
        self.resign()
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LEADER_LOCK])
            [mine] = cursor.fetchone()
        if mine:
            self._take_over()
            self._session = connection.connection
        return bool(mine)

    def resign(self) -> None:
        """Give the lock back, with the session that holds it, and forget what was known of the log."""
        self._session = None
        self._seen, self._sealed_below = None, 0
        self._private.clear()
        if not connection.in_atomic_block:
            connection.close()

    def seal(self) -> int:
        """Seal what has been committed; returns how many events.

        Raises:
            SealerOutOfStep, AuditKeyError, HeadsFileError: nothing, or only a part, was sealed.
        """
        if self._session is not connection.connection:
            raise SealerOutOfStep("the session with the lock is gone")
        with connection.cursor() as cursor:
            cursor.execute(_SNAPSHOT)
            xmin, xmax, running = cursor.fetchone()
        snapshot = Snapshot(xmin, xmax, tuple(running))
        sealed, after = 0, 0
        while events := self._unsealed(after):
            last = len(events) < BATCH_EVENTS
            self._seal_batch(events, sealed_below=snapshot.xmin if last else self._sealed_below)
            sealed, after = sealed + len(events), events[-1][0]
            if last:
                break
        self._seen, self._sealed_below = snapshot, snapshot.xmin
        return sealed

    def _take_over(self) -> None:
        key = signing_key()
        self._private[key.key_id] = private_key(key)
        first = AuditSigningKey.objects.get(endorsed_by__isnull=True)
        self._log_id = log_id_of(bytes(first.public_key))
        reconcile_heads_file(log_id=self._log_id)
        head = AuditHead.objects.first()
        self._frontier = stored_frontier(head.tree_size) if head else Frontier()
        if head is not None and self._frontier.root() != bytes(head.root_hash):
            raise TreeBroken(f"The stored tree is not the one that the head of {head.tree_size} events signs.")
        self._sealed_below = head.sealed_below if head else 0

    def _unsealed(self, after: int) -> list[tuple[int, uuid.UUID, str]]:
        values: dict[str, Any] = {"after": after, "limit": BATCH_EVENTS}
        if self._seen is not None:
            values |= {"xmax": self._seen.xmax, "running": list(self._seen.running)}
        with connection.cursor() as cursor:
            cursor.execute(_ALL if self._seen is None else _NEW, values)
            rows: list[tuple[int, uuid.UUID, str]] = cursor.fetchall()
        return rows

    def _seal_batch(self, events: list[tuple[int, uuid.UUID, str]], *, sealed_below: int) -> None:
        frontier = Frontier(self._frontier.size, self._frontier.hashes)
        leaves: list[tuple[int, uuid.UUID, bytes]] = []
        nodes: list[Node] = []
        for _, event_id, canonical in events:
            leaf = leaf_hash(canonical.encode())
            leaves.append((frontier.size, event_id, leaf))
            nodes += [node for node in frontier.append(leaf) if node[0] >= LOWEST_STORED_LEVEL]
        # The key that announces itself among these events must not sign them: asked before they have their leaves.
        key = signing_key()
        with transaction.atomic():
            self._check_in_step()
            _copy("ethics_auditleaf (index, event_id, leaf_hash)", ["int8", "uuid", "bytea"], leaves)
            _copy("ethics_auditnode (level, index, hash)", ["int2", "int8", "bytea"], nodes)
            head = self._sign(frontier, key, sealed_below)
            daily_counts_add([event_id for _, event_id, _ in events])
        self._frontier = frontier
        append_heads([FileHead.of(head, log_id=self._log_id)])

    def _check_in_step(self) -> None:
        newest = AuditLeaf.objects.order_by("-index").values_list("index", flat=True).first()
        if (-1 if newest is None else newest) != self._frontier.size - 1:
            raise SealerOutOfStep(f"the tree ends at leaf {newest}, not at {self._frontier.size - 1}")

    def _sign(self, frontier: Frontier, key: AuditSigningKey, sealed_below: int) -> AuditHead:
        if key.key_id not in self._private:
            self._private[key.key_id] = private_key(key)
        moment = timezone.now()
        signed = head_bytes(log_id=self._log_id, tree_size=frontier.size, root_hash=frontier.root(), signed_at=moment)
        return AuditHead.objects.create(
            tree_size=frontier.size,
            root_hash=frontier.root(),
            signed_at=moment,
            key=key,
            signature=self._private[key.key_id].sign(signed),
            sealed_below=sealed_below,
        )


def seal_round() -> int:
    """Seal once what has been committed, whoever asks; 0 where another process is the sealer.

    Raises:
        AuditKeyError, LogTailLost, TreeBroken, HeadsFileError, SealerOutOfStep: see ``Sealer``.
    """
    sealer = Sealer()
    try:
        return sealer.seal() if sealer.lead() else 0
    finally:
        sealer.resign()


def _copy(target: str, types: list[str], rows: list[Any]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
