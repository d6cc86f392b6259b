"""Communities, the labels of the Local Contexts vocabulary, and attributions."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminURLInputWidget

from ethics.admin.base import PlatformAdmin, ViewOnlyAdmin
from ethics.models import Attribution, Community, ItemLabel, Label


@admin.register(Community)
class CommunityAdmin(PlatformAdmin):
    """Who holds the knowledge, and how they wish to be credited."""

    community_path = "pk"
    list_display = ("name", "region", "slug", "has_statement")
    list_filter = ("region",)
    search_fields = ("name", "slug", "region")
    fields = ("name", "slug", "region", "statement")
    prepopulated_fields = {"slug": ("name",)}

    @admin.display(description="Statement", boolean=True)
    def has_statement(self, community: Community) -> bool:
        return bool(community.statement)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        # The slug names the community in the audit log, so it stays.
        return ("slug",) if obj is not None else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> dict[str, tuple[str, ...]]:
        return {} if obj is not None else {"slug": ("name",)}


class LabelForm(forms.ModelForm):
    """A label of the vocabulary."""

    source_url = forms.URLField(assume_scheme="https", widget=UnfoldAdminURLInputWidget, label="Source URL")

    class Meta:
        model = Label
        fields = ("code", "kind", "name", "meaning", "source_url", "rule")


@admin.register(Label)
class LabelAdmin(PlatformAdmin):
    """The vocabulary. Code and rule of a label stay: changing them would change every item that carries it."""

    list_display = ("code", "name", "kind", "rule")
    list_filter = ("kind", "rule")
    search_fields = ("code", "name", "meaning")
    form = LabelForm

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("code", "rule") if obj is not None else ()


@admin.register(Attribution)
class AttributionAdmin(PlatformAdmin):
    """The statement that goes with every use of an item."""

    item_path = "item"
    list_display = ("item", "community", "credited_name", "statement")
    search_fields = ("item__display_label", "statement", "credited_name")
    list_select_related = ("item__community",)
    autocomplete_fields = ("item",)
    fields = ("item", "statement", "credited_name")

    @admin.display(description="Community", ordering="item__community__name")
    def community(self, attribution: Attribution) -> str:
        return str(attribution.item.community)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("item",) if obj is not None else ()


class ItemLabelForm(forms.ModelForm):
    """A label on an item."""

    class Meta:
        model = ItemLabel
        fields = ("item", "label", "community_text")


@admin.register(ItemLabel)
class ItemLabelAdmin(ViewOnlyAdmin):
    """All labels on items; they are put on and taken off on the item's page."""

    item_path = "item"
    form = ItemLabelForm
    list_display = ("item", "label", "community_text", "version")
    list_filter = ("label",)
    search_fields = ("item__display_label", "label__code", "label__name")
    list_select_related = ("item", "label")
