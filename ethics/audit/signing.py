"""The keys that sign the heads of the log (Ed25519), and what exactly they sign.

The database holds the public keys, the audit folder the private ones, readable by their owner alone. The first key names
the log; every later one is endorsed by the key before it. A new key is announced by an event and signs only once that event
is sealed under the old key, so that for a while both are live and no head stands on a key that the log has not told of.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from ethics.audit.canonical import canonical_text
from ethics.audit.durable_files import sync_folder, write_new_file
from ethics.audit.recording import record
from ethics.models import AuditLeaf, AuditSigningKey

_KEYS_LOCK = 0x61756B6579
_OTHERS_MAY = 0o077


class AuditKeyError(Exception):
    """A signing key can't be used; the message says why and what to do."""


def audit_folder() -> Path:
    """The folder of keys and heads file, made if it is missing, closed to other accounts."""
    folder = Path(settings.AUDIT_FOLDER)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def key_id_of(public_key: bytes) -> str:
    """First 16 hex digits of SHA-256(public key)."""
    return sha256(public_key).hexdigest()[:16]


def log_id_of(first_public_key: bytes) -> str:
    """The name of a log: SHA-256 of its first public key, in hex."""
    return sha256(first_public_key).hexdigest()


def head_bytes(*, log_id: str, tree_size: int, root_hash: bytes, signed_at: datetime) -> bytes:
    """What the signature of a head covers: canonical JSON (RFC 8785)."""
    return canonical_text(
        {
            "log_id": log_id,
            "root_hash": root_hash.hex(),
            "signed_at": moment_text(signed_at),
            "tree_size": tree_size,
        }
    ).encode()


def endorsed_bytes(key: AuditSigningKey) -> bytes:
    """What the endorsement of a later key covers: canonical JSON (RFC 8785)."""
    return canonical_text(
        {
            "created_at": moment_text(key.created_at),
            "endorsed_by": key.endorsed_by_id or "",
            "key_id": key.key_id,
            "public_key": bytes(key.public_key).hex(),
        }
    ).encode()


def moment_text(moment: datetime) -> str:
    """A moment as signed texts write it: ISO 8601 in UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def signature_is_valid(public_key: bytes, signed: bytes, signature: bytes) -> bool:
    """Whether the Ed25519 signature over the bytes is right."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def log_id() -> str:
    """The name of this log.

    Raises:
        AuditKeyError: it has no key yet.
    """
    first = AuditSigningKey.objects.filter(endorsed_by__isnull=True).first()
    if first is None:
        raise AuditKeyError("The log has no key yet; the sealer makes it with its first round.")
    return log_id_of(bytes(first.public_key))


def signing_key() -> AuditSigningKey:
    """The newest key that is first or whose announcement is sealed; the first one is made where there is none.

    Raises:
        AuditKeyError: a first key can't be written.
    """
    for key in AuditSigningKey.objects.order_by("-created_at"):
        if key.announced_in is None or AuditLeaf.objects.filter(event_id=key.announced_in).exists():
            return key
    return _first_key()


def private_key(key: AuditSigningKey) -> Ed25519PrivateKey:
    """The private key of a signing key, from its file.

    Raises:
        AuditKeyError: the file is missing, open to others, unreadable, or holds another key.
    """
    path = key_path(key.key_id)
    try:
        if path.stat().st_mode & _OTHERS_MAY:
            raise AuditKeyError(f"{path} is open to other accounts. Close it: chmod 600 {path}")
        private = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise AuditKeyError(
            f"The private key {path} is missing. Bring it back from a backup; without it the log can't be continued."
        ) from None
    except OSError as error:
        raise AuditKeyError(f"The private key {path} can't be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuditKeyError(f"{path} holds no private key in PEM.") from error
    if not isinstance(private, Ed25519PrivateKey) or private.public_key().public_bytes_raw() != bytes(key.public_key):
        raise AuditKeyError(f"{path} holds another key than {key.key_id}.")
    return private


def key_path(key_id: str) -> Path:
    """Where the private key of a key id lies."""
    return audit_folder() / f"signing-{key_id}.pem"


@transaction.atomic
def audit_key_rotate() -> AuditSigningKey:
    """Make a key, endorsed by the newest one, that signs once the event about it is sealed.

    Raises:
        AuditKeyError: the newest key's file can't be used, or the new one can't be written.
    """
    _one_at_a_time()
    before = AuditSigningKey.objects.order_by("-created_at").first() or _first_key()
    endorser = private_key(before)
    private, public = _new_private_key()
    event = record("audit_key.rotated", subjects=[key_id_of(public)], details={"key_before": before.key_id})
    key = AuditSigningKey(
        key_id=key_id_of(public),
        public_key=public,
        created_at=timezone.now(),
        endorsed_by=before,
        announced_in=event.event_id,
    )
    key.endorsement = endorser.sign(endorsed_bytes(key))
    _write_private_key(private, key.key_id)
    key.save(force_insert=True)
    return key


def _first_key() -> AuditSigningKey:
    with transaction.atomic():
        _one_at_a_time()
        made = AuditSigningKey.objects.order_by("created_at").first()
        if made is not None:
            return made
        private, public = _new_private_key()
        _write_private_key(private, key_id_of(public))
        return AuditSigningKey.objects.create(key_id=key_id_of(public), public_key=public, created_at=timezone.now())


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEYS_LOCK])


def _new_private_key() -> tuple[Ed25519PrivateKey, bytes]:
    private = Ed25519PrivateKey.generate()
    return private, private.public_key().public_bytes_raw()


def _write_private_key(private: Ed25519PrivateKey, key_id: str) -> None:
    """Durable before the row that needs it is: a file without a row harms nobody, a row without a file ends the log."""
    path = key_path(key_id)
    try:
        write_new_file(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
        sync_folder(path.parent)
    except OSError as error:
        raise AuditKeyError(f"The private key {path} can't be written: {error.strerror}") from error
