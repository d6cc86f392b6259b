"""The Merkle tree over the audit log (RFC 9162) and its signed heads. Rows are only ever inserted, by the sealer."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import Exact

HASH_BYTES = 32
SIGNATURE_BYTES = 64
LOWEST_STORED_LEVEL = 8
"""Perfect subtrees are stored from 2^8 leaves up, so that a proof reads fewer than 256 leaves and a few nodes."""


def _has_bytes(field: str, number: int) -> Exact:
    return Exact(Length(field), number)


class AuditLeaf(models.Model):
    """The place of one event in the tree."""

    index = models.PositiveBigIntegerField(primary_key=True)
    # No relation: an archived event leaves the database, its leaf stays.
    event_id = models.UUIDField(unique=True)
    leaf_hash = models.BinaryField()

    class Meta:
        verbose_name_plural = "audit leaves"
        ordering = ["-index"]
        constraints = [
            models.CheckConstraint(condition=_has_bytes("leaf_hash", HASH_BYTES), name="audit_leaf_hash_has_32_bytes")
        ]

    def __str__(self) -> str:
        return f"leaf {self.index}"


class AuditNode(models.Model):
    """The root of the perfect subtree over the 2^level leaves from index * 2^level on."""

    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    hash = models.BinaryField()

    class Meta:
        ordering = ["level", "index"]
        constraints = [
            models.UniqueConstraint(fields=["level", "index"], name="audit_node_once"),
            models.CheckConstraint(condition=models.Q(level__gte=LOWEST_STORED_LEVEL), name="audit_node_is_high"),
            models.CheckConstraint(condition=_has_bytes("hash", HASH_BYTES), name="audit_node_hash_has_32_bytes"),
        ]

    def __str__(self) -> str:
        return f"node {self.level}/{self.index}"


class AuditSigningKey(models.Model):
    """A public key (Ed25519) under which heads are signed. The first one names the log; each later one is endorsed."""

    key_id = models.CharField(max_length=16, primary_key=True, help_text="First 16 hex digits of SHA-256(public key).")
    public_key = models.BinaryField()
    created_at = models.DateTimeField()
    endorsed_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="endorsed")
    endorsement = models.BinaryField(null=True, help_text="Signature of the key before; none for the first key.")
    announced_in = models.UUIDField(
        null=True, blank=True, help_text="The event of the rotation; the key signs once that event is sealed."
    )

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(condition=_has_bytes("public_key", 32), name="audit_key_has_32_bytes"),
            models.CheckConstraint(
                condition=models.Q(endorsed_by__isnull=True, endorsement__isnull=True, announced_in__isnull=True)
                | models.Q(endorsed_by__isnull=False, endorsement__isnull=False, announced_in__isnull=False),
                name="audit_key_first_or_endorsed",
            ),
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(endorsed_by__isnull=True), name="audit_key_one_first"
            ),
            models.UniqueConstraint(fields=["endorsed_by"], name="audit_key_endorses_once"),
        ]

    def __str__(self) -> str:
        return self.key_id


class AuditHead(models.Model):
    """The signed root over the first ``tree_size`` leaves. One a size: two would be a fork."""

    tree_size = models.PositiveBigIntegerField(unique=True)
    root_hash = models.BinaryField()
    signed_at = models.DateTimeField()
    key = models.ForeignKey(AuditSigningKey, on_delete=models.PROTECT, related_name="heads")
    signature = models.BinaryField()
    sealed_below = models.BigIntegerField(
        default=0, help_text="Every event committed by a transaction below this number is sealed."
    )

    class Meta:
        ordering = ["-tree_size"]
        constraints = [
            models.CheckConstraint(condition=_has_bytes("root_hash", HASH_BYTES), name="audit_head_root_has_32_bytes"),
            models.CheckConstraint(
                condition=_has_bytes("signature", SIGNATURE_BYTES), name="audit_head_signature_has_64_bytes"
            ),
        ]

    def __str__(self) -> str:
        return f"head of {self.tree_size} events"


class AuditVerification(models.Model):
    """One check of the log, or of its agreement with the heads file: up to which size, and what was wrong."""

    tree_size = models.PositiveBigIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(db_index=True)
    events = models.PositiveBigIntegerField(help_text="How many events were checked.")
    ok = models.BooleanField()
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-finished_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ok=True, problem="") | models.Q(ok=False) & ~models.Q(problem=""),
                name="audit_verification_ok_or_problem",
            )
        ]

    def __str__(self) -> str:
        return f"{'verified' if self.ok else 'NOT verified'} at {self.finished_at:%Y-%m-%d %H:%M:%S}"
