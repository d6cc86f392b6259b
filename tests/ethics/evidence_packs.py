"""Evidence packs made without the platform, from their description: what the verifier is tested with."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ethics.audit import tree, verify

Files = dict[str, bytes]


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def lines(records: Iterable[object]) -> bytes:
    return b"".join(canonical(record) + b"\n" for record in records)


def private_key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"key {number}".encode()).digest())


def fingerprint(key: Ed25519PrivateKey) -> str:
    return sha256(key.public_key().public_bytes_raw()).hexdigest()


def key_id(key: Ed25519PrivateKey) -> str:
    return fingerprint(key)[:16]


def commitment(salt: bytes, text: str) -> str:
    return sha256(salt + text.encode()).hexdigest()


SALT = bytes(range(32))
ACTOR = commitment(SALT, "Ann Officer")
SHREDDED_ACTOR = commitment(bytes(32), "somebody")
REASON = commitment(SALT, "the community asked for it")


def make_event(number: int) -> dict[str, Any]:
    return {
        "actor": ACTOR if number % 2 else SHREDDED_ACTOR,
        "actor_role": "compliance officer",
        "client_id": f"client-{number % 3}",
        "community_ids": ["one"] if number % 2 else ["one", "two"],
        "details": {"count": number, "reasons": ["named", "near"]},
        "event_id": f"00000000-0000-4000-8000-{number:012d}",
        "event_type": "text.withheld" if number % 4 else "consent.withdrawn",
        "model_sha256": "",
        "occurred_at": f"2026-01-{number + 1:02d}T08:00:00.000000+00:00",
        "policy_revision": number,
        "purpose": "PREDICTION",
        "reason": REASON if number == 5 else "",
        "request_id": f"request-{number}",
        "subject_ids": [f"item-{number % 5}", "überall"],
    }


@dataclass
class SyntheticLog:
    """A log of ``size`` events with heads and keys; ``selected`` events stand in its pack."""

    size: int = 23
    head_sizes: Sequence[int] = (5, 8, 21, 23)
    selected: Sequence[int] = (2, 3, 5, 8, 20, 22)
    keys: Sequence[Ed25519PrivateKey] = field(default_factory=lambda: [private_key(1), private_key(2)])
    filters: dict[str, str] = field(default_factory=lambda: {"community": "one"})

    def __post_init__(self) -> None:
        self.events = [canonical(make_event(number)) for number in range(self.size)]
        self.leaves = [tree.leaf_hash(event) for event in self.events]

    @property
    def log_id(self) -> str:
        """The name of the log: the fingerprint of its first key."""
        return fingerprint(self.keys[0])

    def node(self, level: int, index: int) -> bytes:
        """The perfect node, computed from the leaves."""
        if level == 0:
            return self.leaves[index]
        return tree.node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))

    def root(self, size: int) -> bytes:
        return tree.Frontier.of_tree(size, self.node).root()

    def head(self, size: int, key: Ed25519PrivateKey | None = None) -> dict[str, Any]:
        """A signed head; early ones by the first key, the others by the last."""
        key = key or self.keys[0 if size < 10 else -1]
        head = {
            "log_id": self.log_id,
            "root_hash": self.root(size).hex(),
            "signed_at": f"2026-02-01T00:00:{size:02d}.000000+00:00",
            "tree_size": size,
        }
        return {**head, "key_id": key_id(key), "signature": key.sign(canonical(head)).hex()}

    def key_records(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        for number, key in enumerate(self.keys):
            record = {
                "created_at": f"2026-01-0{number + 1}T00:00:00.000000+00:00",
                "endorsed_by": key_id(self.keys[number - 1]) if number else "",
                "key_id": key_id(key),
                "public_key": key.public_key().public_bytes_raw().hex(),
            }
            endorsement = self.keys[number - 1].sign(verify.endorsed_bytes(record)).hex() if number else ""
            records.append({**record, "endorsement": endorsement})
        return records

    def proof(self, index: int, size: int) -> dict[str, Any]:
        path = tree.inclusion_path(index, size, self.node)
        return {"leaf_index": index, "path": [entry.hex() for entry in path]}

    def consistency(self, first: int, second: int) -> dict[str, Any]:
        path = tree.consistency_path(first, second, self.node)
        return {"first": first, "second": second, "path": [entry.hex() for entry in path]}

    def disclosures(self) -> list[dict[str, Any]]:
        reason = {"kind": "reason", "event_id": make_event(5)["event_id"], "commitment": REASON}
        return [
            {"kind": "actor", "commitment": ACTOR, "salt": SALT.hex(), "text": "Ann Officer"},
            {**reason, "salt": SALT.hex(), "text": "the community asked for it"},
        ]

    def files(self) -> Files:
        """All files of the pack, signed by the last key."""
        sizes = list(self.head_sizes)
        files = {
            "consistency.jsonl": lines(
                self.consistency(first, sizes[place + 1]) for place, first in enumerate(sizes[:-1])
            ),
            "disclosures.jsonl": lines(self.disclosures()),
            "events.jsonl": b"".join(self.events[index] + b"\n" for index in self.selected),
            "heads.jsonl": lines(self.head(size) for size in sizes),
            "keys.jsonl": lines(self.key_records()),
            "proofs.jsonl": lines(self.proof(index, sizes[-1]) for index in self.selected),
            "summary.html": b"<!doctype html><title>Summary</title>\n",
            "verify.py": Path(verify.__file__).read_bytes(),
        }
        manifest = {
            "as_of": "2026-02-01T00:00:23.000000+00:00",
            "counts": {"events": len(self.selected), "heads": len(sizes)},
            "filters": self.filters,
            "format": verify.FORMAT,
            "head": {"root_hash": self.root(sizes[-1]).hex(), "tree_size": sizes[-1]},
            "log_id": self.log_id,
            "policy_revision": 7,
        }
        return signed(files, manifest, self.keys[-1])


def signed(files: Files, manifest: dict[str, Any], key: Ed25519PrivateKey) -> Files:
    """The files with a manifest that lists them as they are now, signed by the key."""
    files = {name: data for name, data in files.items() if name not in (verify.MANIFEST, verify.SIGNATURE)}
    listed = {name: {"sha256": sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()}
    data = canonical({**manifest, "files": listed})
    signature = key.sign(verify.FORMAT.encode() + b"\n" + data).hex()
    return {
        **files,
        verify.MANIFEST: data,
        verify.SIGNATURE: canonical({"key_id": key_id(key), "signature": signature}),
    }


def resigned(files: Files, key: Ed25519PrivateKey, **manifest: Any) -> Files:
    """The files as somebody leaves them who edits the pack and signs it anew."""
    return signed(files, {**json.loads(files[verify.MANIFEST]), **manifest}, key)


def write_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_folder(path: Path, files: Files) -> Path:
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)
    return path
