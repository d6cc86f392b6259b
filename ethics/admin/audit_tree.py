"""The sealed log: leaves, stored nodes, signed heads, keys, verifications; to be read, never written."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from ethics.admin.base import ViewOnlyAdmin
from ethics.models import (
    AuditArchive,
    AuditHead,
    AuditIdentity,
    AuditLeaf,
    AuditNode,
    AuditReason,
    AuditSigningKey,
    AuditVerification,
)


class TreeAdmin(ViewOnlyAdmin):
    """Hashes are shown in hex."""

    actions_detail_hide_default = True

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """None has a history: the database lets no row be changed."""
        return self.absent(request, object_id)


@admin.register(AuditLeaf)
class AuditLeafAdmin(TreeAdmin):
    """The place of each event in the tree."""

    list_display = ("index", "event_id", "hash_hex")
    fields = readonly_fields = ("index", "event_id", "hash_hex")
    search_fields = ("event_id__exact",)

    @admin.display(description="Leaf hash")
    def hash_hex(self, leaf: AuditLeaf) -> str:
        return bytes(leaf.leaf_hash).hex()


@admin.register(AuditNode)
class AuditNodeAdmin(TreeAdmin):
    """The stored perfect subtrees."""

    list_display = ("level", "index", "hash_hex")
    fields = readonly_fields = ("level", "index", "hash_hex")

    @admin.display(description="Hash")
    def hash_hex(self, node: AuditNode) -> str:
        return bytes(node.hash).hex()


@admin.register(AuditHead)
class AuditHeadAdmin(TreeAdmin):
    """The signed heads."""

    list_display = ("tree_size", "signed_at", "key_id", "root_hex")
    fields = readonly_fields = ("tree_size", "signed_at", "key_id", "root_hex", "signature_hex")

    @admin.display(description="Root hash")
    def root_hex(self, head: AuditHead) -> str:
        return bytes(head.root_hash).hex()

    @admin.display(description="Signature")
    def signature_hex(self, head: AuditHead) -> str:
        return bytes(head.signature).hex()


@admin.register(AuditSigningKey)
class AuditSigningKeyAdmin(TreeAdmin):
    """The public keys."""

    list_display = ("key_id", "created_at", "endorsed_by_id")
    fields = readonly_fields = ("key_id", "created_at", "endorsed_by_id", "public_key_hex", "announced_in")

    @admin.display(description="Public key")
    def public_key_hex(self, key: AuditSigningKey) -> str:
        return bytes(key.public_key).hex()


@admin.register(AuditVerification)
class AuditVerificationAdmin(TreeAdmin):
    """What each check of the log found."""

    list_display = ("finished_at", "ok", "tree_size", "events", "problem")


@admin.register(AuditArchive)
class AuditArchiveAdmin(TreeAdmin):
    """The files that archived records lie in."""

    list_display = ("file_name", "first_index", "end_index", "size_bytes", "archived_at")


@admin.register(AuditIdentity)
class AuditIdentityAdmin(TreeAdmin):
    """The names behind the actors' commitments. Salts are not shown."""

    list_display = ("shown_name", "commitment", "created_at", "shredded_at")
    fields = readonly_fields = ("shown_name", "commitment", "created_at", "shredded_at")
    search_fields = ("name", "commitment")


@admin.register(AuditReason)
class AuditReasonAdmin(TreeAdmin):
    """The reasons behind the events' commitments. Salts are not shown."""

    list_display = ("event_id", "text", "shredded_at")
    fields = readonly_fields = ("event_id", "text", "shredded_at")
