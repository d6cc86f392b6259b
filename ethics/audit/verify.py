"""Checks an evidence pack of the audit log with Python 3.9 or newer and nothing else.

    python3 -I verify.py [PACK] [--key FINGERPRINT]

PACK is the zip file or the folder it was unpacked to; without it, the folder of this program. FINGERPRINT is the
SHA-256 of the log's public key (64 hex digits), which you must have got by another way than the pack.

Exit code: 0 every check passed, 1 something is wrong with the pack, 2 nothing could be checked.

This file stands alone, so that a stranger can read the whole of it. It imports the standard library only, extracts
nothing, writes nothing and opens no connection. The format is described in docs/evidence_pack.md.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import stat
import struct
import sys
import textwrap
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256, sha512
from pathlib import Path
from typing import IO, Any, NoReturn

FORMAT = "neurobotanica-evidence-pack/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
LISTED = (
    "consistency.jsonl", "disclosures.jsonl", "events.jsonl", "heads.jsonl", "keys.jsonl", "proofs.jsonl",
    "summary.html", "verify.py",
)  # fmt: skip
# Bounds for hostile packs, far above what the platform writes.
LONGEST_LINE = 4 * 1024 * 1024
LARGEST_FILE = 16 * 1024**3
LARGEST_INTEGER = 2**53 - 1
MOST_HEADS = 10_000
MOST_KEYS = 1_000

PASSED, FAILED, UNUSABLE = 0, 1, 2
# What reading a damaged or hostile file can raise.
UNREADABLE = (
    OSError, EOFError, ValueError, MemoryError, OverflowError, RuntimeError,
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error,
)  # fmt: skip


class Finding(Exception):
    """What is wrong with the pack, and where."""


def refuse(message: str) -> NoReturn:
    """Report what is wrong."""
    raise Finding(message)


# Ed25519 verification by RFC 8032, section 5.1. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)

Point = tuple[int, int, int, int]


def point_add(a: Point, b: Point) -> Point:
    """The sum of two points (RFC 8032, 5.1.4)."""
    first = (a[1] - a[0]) * (b[1] - b[0]) % P
    second = (a[1] + a[0]) * (b[1] + b[0]) % P
    third = 2 * a[3] * b[3] * D % P
    fourth = 2 * a[2] * b[2] % P
    e, f, g, h = second - first, fourth - third, fourth + third, second + first
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_double(a: Point) -> Point:
    """Twice a point (RFC 8032, 5.1.4)."""
    first = a[0] * a[0] % P
    second = a[1] * a[1] % P
    h = first + second
    e = h - (a[0] + a[1]) * (a[0] + a[1])
    g = first - second
    f = 2 * a[2] * a[2] + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_decode(data: bytes) -> Point | None:
    """The point of 32 bytes (RFC 8032, 5.1.3); None where they encode none, or in a second way."""
    if len(data) != 32:
        return None
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * ROOT_OF_MINUS_ONE % P
        if v * x * x % P != u:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def point_encode(a: Point) -> bytes:
    """The 32 bytes of a point (RFC 8032, 5.1.2)."""
    inverse = pow(a[2], P - 2, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _base_point() -> Point:
    found = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    if found is None:
        raise ArithmeticError("the base point lies on the curve")
    return found


BASE = _base_point()


def is_usable_key(public_key: bytes) -> bool:
    """Whether the bytes encode a point, canonically, and not one of small order, which signs anything."""
    point = point_decode(public_key)
    if point is None:
        return False
    for _ in range(3):
        point = point_double(point)
    return point_encode(point) != point_encode(NEUTRAL)


def signature_is_valid(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key signed the message (RFC 8032, 5.1.7, without cofactor). S must lie below the group order."""
    if len(signature) != 64 or not is_usable_key(public_key):
        return False
    a = point_decode(public_key)
    s = int.from_bytes(signature[32:], "little")
    if a is None or s >= ORDER:
        return False
    k = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    sums = (NEUTRAL, BASE, minus_a, point_add(BASE, minus_a))
    result = NEUTRAL
    # S*B - k*A, both scalars at once, from the highest bit.
    for bit in range(ORDER.bit_length() - 1, -1, -1):
        result = point_double(result)
        which = (s >> bit & 1) + 2 * (k >> bit & 1)
        if which:
            result = point_add(result, sums[which])
    return point_encode(result) == signature[:32]


# The Merkle tree by RFC 9162, section 2.1.


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf (RFC 9162, 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def inclusion_is_valid(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf at ``index`` to the root over ``size`` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            value = node_hash(sibling, value)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and value == root


def consistency_is_valid(first: int, second: int, path: Sequence[bytes], old: bytes, new: bytes) -> bool:
    """Whether the tree of ``second`` leaves begins with the one of ``first`` leaves (RFC 9162, 2.1.4.2)."""
    if not 0 < first < second or not path:
        return False
    siblings = list(path)
    if first & (first - 1) == 0:
        siblings.insert(0, old)
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_value = new_value = siblings[0]
    for sibling in siblings[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_value, new_value = node_hash(sibling, old_value), node_hash(sibling, new_value)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new_value = node_hash(new_value, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_value == old and new_value == new


# Reading: strict JSON, and files that are only ever read by a known name.


def canonical_bytes(value: object) -> bytes:
    """RFC 8785 text of a value with ASCII keys and no fractions."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_json(data: bytes) -> dict[str, Any]:
    """A JSON object in its canonical form (RFC 8785), so that no two programs read it differently.

    Raises:
        Finding: anything else.
    """
    try:
        value = json.loads(data.decode(), parse_int=_integer, parse_float=_no_number, parse_constant=_no_number)
        canonical = canonical_bytes(value)
    except (ValueError, RecursionError) as error:
        raise Finding(f"is not the JSON that a pack may hold ({shown(str(error))})") from None
    if not isinstance(value, dict):
        refuse("is not a JSON object")
    if canonical != data:
        refuse("is not in canonical form (RFC 8785)")
    return value


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > LARGEST_INTEGER:
        raise ValueError("an integer is too large")
    return int(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no integer")


def shown(value: object, longest: int = 120) -> str:
    """Text of the pack made safe for a terminal."""
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in str(value)[: longest + 1])
    return text if len(text) <= longest else text[:longest] + "..."


def text_of(record: dict[str, Any], name: str) -> str:
    """A text field of a record."""
    value = record.get(name)
    if not isinstance(value, str):
        refuse(f"has no text {name!r}")
    return value


def number_of(record: dict[str, Any], name: str) -> int:
    """A field of a record that holds an integer from zero up."""
    value = record.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        refuse(f"has no number {name!r}")
    return value


def list_of(record: dict[str, Any], name: str) -> list[str]:
    """A field of a record that holds texts."""
    value = record.get(name)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        refuse(f"has no texts {name!r}")
    return value


def dict_of(record: dict[str, Any], name: str) -> dict[str, Any]:
    """A field of a record that is a record itself."""
    value = record.get(name)
    if not isinstance(value, dict):
        refuse(f"has no object {name!r}")
    return value


def hex_bytes(text: str, length: int) -> bytes:
    """So many bytes, from lower-case hexadecimal digits."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != length or data.hex() != text:
        refuse(f"holds {shown(text, 20)!r} in place of {2 * length} hexadecimal digits")
    return data


class Folder:
    """The unpacked pack."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.strangers = sorted({entry.name for entry in path.iterdir()} - {MANIFEST, SIGNATURE, *LISTED})

    def open(self, name: str) -> IO[bytes]:
        """A file of the pack; never through a link."""
        path = self.path / name
        if not stat.S_ISREG(path.lstat().st_mode):
            refuse("is not a plain file")
        return path.open("rb")


class Archive:
    """The pack as a zip file; it is read in place."""

    def __init__(self, path: Path) -> None:
        self.zip = zipfile.ZipFile(path)
        names = [entry.filename for entry in self.zip.infolist()]
        twice = sorted(name for name, times in Counter(names).items() if times > 1)
        if twice:
            refuse(f"the zip holds {shown(twice[0])} twice")
        strangers = sorted(set(names) - {MANIFEST, SIGNATURE, *LISTED})
        if strangers:
            refuse(f"the zip holds {shown(strangers[0])}, which is no file of a pack")
        self.strangers: list[str] = []

    def open(self, name: str) -> IO[bytes]:
        """A file of the pack."""
        try:
            entry = self.zip.getinfo(name)
        except KeyError:
            raise FileNotFoundError(name) from None
        if entry.file_size > LARGEST_FILE:
            refuse("is larger than a pack's file may be")
        return self.zip.open(entry)


class Pack:
    """Reading of files and records, with the place named in what is found wrong."""

    def __init__(self, source: Folder | Archive) -> None:
        self.source = source

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a file."""
        with self._opened(name) as file:
            while True:
                try:
                    chunk = file.read(1 << 20)
                except UNREADABLE as error:
                    raise Finding(f"{name} can't be read ({shown(error)})") from None
                if not chunk:
                    return
                yield chunk

    def whole(self, name: str) -> bytes:
        """A small file."""
        data = b""
        for chunk in self.chunks(name):
            data += chunk
            if len(data) > LONGEST_LINE:
                refuse(f"{name} is too long")
        return data

    def lines(self, name: str) -> Iterator[tuple[str, bytes]]:
        """(place, line without its end) of a file with one record a line."""
        with self._opened(name) as file:
            number = 0
            while True:
                number += 1
                place = f"{name} line {number}"
                try:
                    line = file.readline(LONGEST_LINE + 1)
                except UNREADABLE as error:
                    raise Finding(f"{place} can't be read ({shown(error)})") from None
                if not line:
                    return
                if not line.endswith(b"\n"):
                    refuse(f"{place} {'is too long' if len(line) > LONGEST_LINE else 'breaks off'}")
                yield place, line[:-1]

    def records(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(place, record) of a file with one JSON object a line."""
        for place, line in self.lines(name):
            with Place(place):
                record = read_json(line)
            yield place, record

    def _opened(self, name: str) -> IO[bytes]:
        try:
            return self.source.open(name)
        except FileNotFoundError:
            raise Finding(f"{name} is missing") from None
        except Finding as finding:
            raise Finding(f"{name} {finding}") from None
        except UNREADABLE as error:
            raise Finding(f"{name} can't be opened ({shown(error)})") from None


class Place:
    """Puts the place before whatever is found wrong inside."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, Finding):
            raise Finding(f"{self.name} {error}") from None


# The checks.


class Verification:
    """The checks of one pack, and what they found out."""

    def __init__(self, pack: Pack, fingerprint: str = "") -> None:
        self.pack = pack
        self.fingerprint = fingerprint
        self.keys: dict[str, bytes] = {}
        self.trusted: set[str] = set()
        self.log_id = ""
        self.signer = ""
        self.manifest: dict[str, Any] = {}
        self.files: dict[str, Any] = {}
        self.filters: dict[str, Any] = {}
        self.counts: dict[str, Any] = {}
        self.size, self.root = 0, b""
        self.heads: list[tuple[int, str]] = []
        self.actors: Counter[str] = Counter()
        self.reasons: dict[str, str] = {}
        self.types: Counter[str] = Counter()
        self.period: list[str] = []

    def check_keys(self) -> str:
        """Each key is endorsed by the one before; the key named by the reader is among them."""
        for place, record in self.pack.records("keys.jsonl"):
            with Place(place):
                self._take_key(record)
        if not self.keys:
            refuse("keys.jsonl holds no key")
        if self.fingerprint and not self.trusted:
            refuse("no key of this pack has the fingerprint that you gave: it was signed by somebody else")
        count = len(self.keys)
        return "one public key" if count == 1 else f"{count} public keys, each endorsed by the one before"

    def _take_key(self, record: dict[str, Any]) -> None:
        public_key = hex_bytes(text_of(record, "public_key"), 32)
        key_id, endorser = text_of(record, "key_id"), text_of(record, "endorsed_by")
        if key_id != sha256(public_key).hexdigest()[:16]:
            refuse("names a key by an id that is not the beginning of the key's SHA-256")
        if key_id in self.keys or len(self.keys) == MOST_KEYS:
            refuse("repeats a key, or is one too many")
        if not is_usable_key(public_key):
            refuse("holds a public key that is no proper point of the curve")
        if endorser != next(reversed(self.keys), ""):
            refuse(f"holds the key {key_id}, which is not endorsed by the key before it")
        if endorser:
            endorsement = hex_bytes(text_of(record, "endorsement"), 64)
            if not signature_is_valid(self.keys[endorser], endorsed_bytes(record), endorsement):
                refuse(f"holds the key {key_id} with a wrong endorsement of the key {endorser}")
        self.keys[key_id] = public_key
        own = sha256(public_key).hexdigest()
        self.log_id = self.log_id or own
        if endorser in self.trusted or own == self.fingerprint:
            self.trusted.add(key_id)

    def check_manifest(self) -> str:
        """The manifest is of this format and signed by a key of the pack."""
        data = self.pack.whole(MANIFEST)
        with Place(MANIFEST):
            manifest = read_json(data)
            if manifest.get("format") != FORMAT:
                refuse(f"is of the format {shown(manifest.get('format'))!r}; this program knows {FORMAT!r}")
            self.files, self.filters = dict_of(manifest, "files"), dict_of(manifest, "filters")
            self.counts, head = dict_of(manifest, "counts"), dict_of(manifest, "head")
            self.size, self.root = number_of(head, "tree_size"), hex_bytes(text_of(head, "root_hash"), 32)
            text_of(manifest, "as_of")
            log_id = text_of(manifest, "log_id")
            self.manifest = manifest
            if log_id != self.log_id:
                refuse("names another log than keys.jsonl: a log's name is the SHA-256 of its first key")
        signature = self.pack.whole(SIGNATURE)
        with Place(SIGNATURE):
            record = read_json(signature.rstrip(b"\n"))
            self.signer = self._signed_by(record, FORMAT.encode() + b"\n" + data, "the manifest")
        return f"signed by the key {self.signer}"

    def _signed_by(self, record: dict[str, Any], message: bytes, what: str) -> str:
        key_id = text_of(record, "key_id")
        if key_id not in self.keys:
            refuse(f"names the key {shown(key_id, 20)!r}, which keys.jsonl lacks")
        if not signature_is_valid(self.keys[key_id], message, hex_bytes(text_of(record, "signature"), 64)):
            refuse(f"does not hold the signature of the key {key_id} over {what}")
        return key_id

    def check_files(self) -> str:
        """Every file is listed and has the listed size and SHA-256."""
        if sorted(self.files) != sorted(LISTED):
            refuse(f"{MANIFEST} must list exactly {', '.join(LISTED)}")
        for name in LISTED:
            with Place(MANIFEST):
                listed = dict_of(self.files, name)
                size, digest = number_of(listed, "size"), text_of(listed, "sha256")
            seen, actual = 0, sha256()
            for chunk in self.pack.chunks(name):
                seen += len(chunk)
                if seen > size:
                    refuse(f"{name} is longer than the manifest says ({size} bytes)")
                actual.update(chunk)
            if seen != size:
                refuse(f"{name} has {seen} bytes, where the manifest says {size}")
            if actual.hexdigest() != digest:
                refuse(f"{name} was changed: its SHA-256 is not the one in the manifest")
        return f"{len(LISTED)} files with the sizes and SHA-256 of the manifest"

    def check_heads(self) -> str:
        """Every head is signed, and each tree begins with the one before."""
        proofs = self.pack.records("consistency.jsonl")
        last: tuple[int, bytes, str, str] | None = None
        for place, record in self.pack.records("heads.jsonl"):
            with Place(place):
                head = self._head(record)
                if last is not None:
                    _in_order(last, head)
            if last is not None:
                _consistent(next(proofs, None), last, head)
            last = head
            self.heads.append((head[0], head[3]))
            if len(self.heads) > MOST_HEADS:
                refuse("heads.jsonl holds too many heads")
        if last is None or last[:2] != (self.size, self.root):
            refuse(f"heads.jsonl does not end with the head that the manifest names (size {self.size})")
        if next(proofs, None) is not None:
            refuse("consistency.jsonl holds a proof too many")
        if self.counts.get("heads") != len(self.heads):
            refuse(f"heads.jsonl holds {len(self.heads)} heads, where the manifest says {self.counts.get('heads')!r}")
        if self.fingerprint and not {self.signer, last[3]} <= self.trusted:
            refuse("the manifest or the last head is signed by a key that the one you named does not endorse")
        return f"{len(self.heads)} signed heads up to size {self.size}, each tree the beginning of the next"

    def _head(self, record: dict[str, Any]) -> tuple[int, bytes, str, str]:
        size, signed_at = number_of(record, "tree_size"), text_of(record, "signed_at")
        if text_of(record, "log_id") != self.manifest["log_id"]:
            refuse("belongs to another log")
        signed = {name: record.get(name) for name in ("log_id", "root_hash", "signed_at", "tree_size")}
        signer = self._signed_by(record, canonical_bytes(signed), f"the head of size {size}")
        return size, hex_bytes(text_of(record, "root_hash"), 32), signed_at, signer

    def check_events(self) -> str:
        """Every event is a leaf of the last head's tree, stands in its order, and passes the filters."""
        for name, wanted in self.filters.items():
            if name not in FILTERS or not isinstance(wanted, str):
                refuse(f"{MANIFEST} names a filter that this program does not know: {shown(name)}")
        proofs, before, count = self.pack.records("proofs.jsonl"), -1, 0
        for place, line in self.pack.lines("events.jsonl"):
            proof = next(proofs, None)
            if proof is None:
                refuse(f"{place} has no proof: proofs.jsonl ends before it")
            with Place(proof[0]):
                index = number_of(proof[1], "leaf_index")
                path = [hex_bytes(entry, 32) for entry in list_of(proof[1], "path")]
                if index <= before:
                    refuse(f"holds the leaf {index} after the leaf {before}: out of order, or twice")
            with Place(place):
                if not inclusion_is_valid(leaf_hash(line), index, self.size, path, self.root):
                    refuse(f"is not leaf {index} of the tree that the head (size {self.size}) signs: {_named(line)}")
                self._take_event(read_json(line))
            before, count = index, count + 1
        if next(proofs, None) is not None:
            refuse("proofs.jsonl holds a proof too many: an event was removed")
        if count != self.counts.get("events"):
            refuse(f"events.jsonl holds {count} events, where the manifest says {self.counts.get('events')!r}")
        return f"{count} events, each a leaf of the tree of {self.size}, in their order" + (
            ", each within the filters" if self.filters else ""
        )

    def _take_event(self, event: dict[str, Any]) -> None:
        for name, wanted in self.filters.items():
            if not FILTERS[name](event, wanted):
                refuse(f"does not pass the pack's own filter {name}={shown(wanted)}")
        self.actors[text_of(event, "actor")] += 1
        if text_of(event, "reason"):
            self.reasons[text_of(event, "event_id")] = event["reason"]
        self.types[text_of(event, "event_type")] += 1
        moment = text_of(event, "occurred_at")
        self.period = [min([moment, *self.period[:1]]), max([moment, *self.period[1:]])]

    def check_disclosures(self) -> str:
        """Every name and reason given in clear text is the one that an event of the pack committed to."""
        seen: set[str] = set()
        names = reasons = 0
        for place, record in self.pack.records("disclosures.jsonl"):
            with Place(place):
                kind, commitment = text_of(record, "kind"), text_of(record, "commitment")
                salt = hex_bytes(text_of(record, "salt"), 32)
                if sha256(salt + text_of(record, "text").encode()).hexdigest() != commitment:
                    refuse("discloses a text that does not fit its commitment")
                subject = commitment if kind == "actor" else text_of(record, "event_id")
                known = commitment in self.actors if kind == "actor" else self.reasons.get(subject) == commitment
                if kind not in ("actor", "reason") or not known or kind + subject in seen:
                    refuse("discloses what no event of the pack committed to, or discloses it twice")
                seen.add(kind + subject)
                names, reasons = names + (kind == "actor"), reasons + (kind == "reason")
        left_out = f"not disclosed: {len(self.actors) - names} and {len(self.reasons) - reasons}"
        return f"names: {names}, reasons: {reasons}, each fits its commitment ({left_out})"

    @property
    def is_whole_log(self) -> bool:
        """Whether the pack holds every event up to its head."""
        return 0 < self.size == sum(self.types.values())


def endorsed_bytes(key: dict[str, Any]) -> bytes:
    """What the key before signs when it endorses this one."""
    return canonical_bytes({name: key.get(name) for name in ("created_at", "endorsed_by", "key_id", "public_key")})


Head = tuple[int, bytes, str, str]


def _in_order(last: Head, head: Head) -> None:
    if head[0] == last[0]:
        refuse(f"is a second head of size {head[0]}" + (": the log was forked" if head[1] != last[1] else ""))
    if head[0] < last[0] or head[2] < last[2]:
        refuse(f"holds the head of size {head[0]} out of order after the one of size {last[0]}")


def _consistent(proof: tuple[str, dict[str, Any]] | None, last: Head, head: Head) -> None:
    if proof is None:
        refuse(f"consistency.jsonl lacks the proof from size {last[0]} to size {head[0]}")
    with Place(proof[0]):
        sizes = number_of(proof[1], "first"), number_of(proof[1], "second")
        path = [hex_bytes(entry, 32) for entry in list_of(proof[1], "path")]
        if sizes != (last[0], head[0]):
            refuse(f"is not the proof from size {last[0]} to size {head[0]}")
        if not consistency_is_valid(last[0], head[0], path, last[1], head[1]):
            refuse(f"does not show that the tree of size {head[0]} begins with the one of size {last[0]}")


def _named(line: bytes) -> str:
    try:
        return f"event {shown(text_of(read_json(line), 'event_id'), 40)}"
    except Finding:
        return "its text is damaged"


def _is_type(event: dict[str, Any], wanted: str) -> bool:
    name = text_of(event, "event_type")
    return name.startswith(wanted[:-1]) if wanted.endswith(".*") else name == wanted


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        refuse(f"names a time that can't be read: {shown(text, 40)}")
    return moment


def _has_refusal(event: dict[str, Any], wanted: str) -> bool:
    details = event.get("details")
    return isinstance(details, dict) and isinstance(details.get("reasons"), list) and wanted in details["reasons"]


FILTERS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "actor": lambda event, wanted: text_of(event, "actor") == wanted,
    "client": lambda event, wanted: text_of(event, "client_id") == wanted,
    "community": lambda event, wanted: wanted in list_of(event, "community_ids"),
    "event_type": _is_type,
    "refusal": _has_refusal,
    "request_id": lambda event, wanted: text_of(event, "request_id") == wanted,
    "since": lambda event, wanted: _moment(text_of(event, "occurred_at")) >= _moment(wanted),
    "subject": lambda event, wanted: wanted in list_of(event, "subject_ids"),
    "until": lambda event, wanted: _moment(text_of(event, "occurred_at")) < _moment(wanted),
}


# The report.

LEFT_OUT = {
    "heads_left_out": "signed heads between those here",
    "not_here": "events of the log that were moved to the archive, not looked through",
    "not_sealed": "events that pass the filters and were not sealed yet",
}
CHECKS = ("keys", "manifest", "files", "heads", "events", "disclosures")


def run_checks(verification: Verification) -> int:
    """Run all checks, tell of each, and count those that failed."""
    failed = 0
    for name in CHECKS:
        if name not in ("keys", "manifest") and not verification.manifest:
            tell("----", name, "not checked, for lack of a readable manifest")
            continue
        try:
            tell("ok", name, getattr(verification, f"check_{name}")())
        except Finding as finding:
            failed += 1
            tell("FAIL", name, str(finding))
    return failed


def tell(mark: str, name: str, text: str) -> None:
    """One line of the report, and what goes over it, indented."""
    indent = " " * 22
    print(
        textwrap.fill(f"  {mark:<6}{name:<14}{text}", 100, subsequent_indent=indent, break_long_words=False), flush=True
    )


def tell_origin(verification: Verification) -> None:
    """What the pack says of itself."""
    manifest = verification.manifest
    filters = ", ".join(f"{name}={shown(value, 80)}" for name, value in sorted(verification.filters.items()))
    print("\nWhat the pack says of itself")
    print(f"  log           {shown(manifest.get('log_id', 'unknown'))}")
    print(f"  as of         {shown(manifest.get('as_of', 'unknown'))}")
    print(f"  filters       {filters or 'none'}")
    for name, meaning in LEFT_OUT.items():
        if verification.counts.get(name):
            print(f"  left out      {shown(verification.counts[name], 20)} {meaning}")
    for stranger in verification.pack.source.strangers[:10]:
        print(f"  note          {shown(stranger)} lies in the folder and is no part of the pack")


def tell_meaning(verification: Verification) -> None:
    """What the events are, what a pack that passed shows, and what it does not."""
    size, count = verification.size, sum(verification.types.values())
    first, last = verification.period or ["", ""]
    print(f"\nWhat the events are ({shown(first[:19])} to {shown(last[:19])} UTC)")
    for name, times in sorted(verification.types.items(), key=lambda entry: (-entry[1], entry[0]))[:20]:
        print(f"  {times:>9}  {shown(name, 60)}")
    print("\nWhat this shows")
    _item(f"Each of these {count} events stood in the log, byte for byte, when its head of size {size} was signed.")
    _item("From each signed head here to the next the log only grew: nothing was changed, removed or put between.")
    if verification.is_whole_log:
        _item(f"The pack is complete: it holds all {size} events up to that head.")
    print("\nWhat this does not show")
    if not verification.is_whole_log:
        _item(f"That nothing else exists: {size - count} other events of the log up to that head are not here.")
    _item("That an event tells the truth: it is what the platform wrote down, at the time of its own clock.")
    _item("That everybody was shown the same log: compare the head below with packs that others received.")
    _item("That summary.html is right: its author signed it, this program only found it unchanged.")
    print(f"\n  head         size {size}, root {verification.root.hex()}")
    print(f"  fingerprint  {verification.log_id}  (the log's first key)")


def _item(text: str) -> None:
    print(textwrap.fill(text, 98, initial_indent="  - ", subsequent_indent="    "))


def verdict(verification: Verification, failed: int) -> int:
    """The last line, and the exit code."""
    if failed:
        print(f"\nRESULT: NOT VERIFIED. {failed} of {len(CHECKS)} checks failed; do not rely on this pack.\n")
        return FAILED
    tell_meaning(verification)
    if verification.fingerprint:
        print("\nRESULT: VERIFIED. Every check passed, and the signatures lead back to the key that you named.\n")
        return PASSED
    print("\nRESULT: CONSISTENT, KEY NOT CONFIRMED. Every check passed, but anybody could have made and signed")
    print("such a pack. Ask the platform for the fingerprint by another way (telephone, a printed notice), and")
    print("run this again with --key FINGERPRINT.\n")
    return PASSED


def read_fingerprint(text: str) -> str:
    """64 hexadecimal digits; colons, spaces and upper case are allowed."""
    fingerprint = re.sub("[: ]", "", text).lower()
    if not re.fullmatch("[0-9a-f]{64}", fingerprint):
        raise argparse.ArgumentTypeError("a fingerprint has 64 hexadecimal digits (the SHA-256 of the public key)")
    return fingerprint


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a pack and print the report; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="verify.py", description="Check an evidence pack of the audit log. Nothing is written or sent."
    )
    here = Path(__file__).resolve().parent
    parser.add_argument("pack", nargs="?", default=here, help="the zip file or its folder (default: this folder)")
    parser.add_argument(
        "--key", type=read_fingerprint, metavar="FINGERPRINT",
        help="SHA-256 of the log's public key, obtained by another way than the pack",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return check(Path(options.pack), options.key or "")


def check(path: Path, fingerprint: str) -> int:
    """Check the pack at a path and print the report; returns the exit code."""
    try:
        source = Folder(path) if path.is_dir() else Archive(path)
    except (FileNotFoundError, PermissionError) as error:
        print(f"verify.py: {shown(path)} can't be opened ({shown(error.strerror)})", file=sys.stderr)
        return UNUSABLE
    except (Finding, *UNREADABLE) as error:
        print(f"\nRESULT: NOT VERIFIED. {shown(path)} is not a whole pack: {shown(error)}\n")
        return FAILED
    print(f"\nEvidence pack {shown(path)}\n\nWhat was checked")
    verification = Verification(Pack(source), fingerprint)
    failed = run_checks(verification)
    tell_origin(verification)
    return verdict(verification, failed)


def run() -> int:
    """``main`` for a reader who may go away before the end, as ``| head`` does; returns the exit code."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE
    return code


if __name__ == "__main__":
    sys.exit(run())
