"""API clients and their keys. A key is shown once, when it is made; only its hash is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from rest_framework_api_key.models import APIKey
from unfold.decorators import action

from ethics.admin.base import PlatformAdmin, ViewOnlyInline, adopt_saved
from ethics.admin.form_fields import (
    LinesField,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
    take_service_errors,
)
from ethics.admin.form_page import ConfirmationForm, FormPage, form_page, list_url, object_url
from ethics.clients import (
    LONGEST_OVERLAP,
    api_key_create,
    api_key_revoke,
    api_key_rotate,
    client_create,
    client_update,
)
from ethics.models import ApiClient, ApiKey
from ethics.models.network import canonical_networks
from ethics.policy import Audience
from ethics.scopes import ALL_SCOPES, SCOPE_MEANINGS, Scope

_SETTINGS = (
    "client", "name", "scopes", "allowed_networks", "expiry_date", "requests_per_minute", "requests_per_day",
)  # fmt: skip

try:
    admin.site.unregister(APIKey)
except NotRegistered as error:
    raise RuntimeError("ethics must stand after rest_framework_api_key in INSTALLED_APPS") from error


class ApiKeyInline(ViewOnlyInline):
    """The keys of a client."""

    model = ApiKey
    fields = readonly_fields = ("prefix", "name", "scopes", "created", "expiry_date", "last_used_at", "revoked")
    show_change_link = True


@admin.register(ApiClient)
class ApiClientAdmin(PlatformAdmin):
    """The organisations that ask. The audience decides what a client may see."""

    asks_reason = False
    list_display = ("organisation", "audience", "is_active", "created_at")
    list_filter = ("audience", "is_active")
    search_fields = ("organisation",)
    fields = ("organisation", "audience", "is_active")

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        return (ApiKeyInline,) if obj is not None else ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("organisation", "audience") if obj is None else ("public_id", "organisation", "audience", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return () if obj is None else ("public_id",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        audience = Audience(form.cleaned_data["audience"])
        if not change:
            adopt_saved(obj, client_create(organisation=obj.organisation, audience=audience))
        elif form.has_changed():
            client_update(client=obj, organisation=obj.organisation, audience=audience, is_active=obj.is_active)


class ApiKeyForm(forms.ModelForm):
    """A new key."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, f"{scope.value}: {meaning}") for scope, meaning in SCOPE_MEANINGS.items()],
        initial=[scope.value for scope in ALL_SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    allowed_networks = LinesField(
        required=False, max_length=50, help_text="One a line, such as 192.0.2.0/24. Empty: from anywhere."
    )

    class Meta:
        model = ApiKey
        fields = _SETTINGS

    def clean_allowed_networks(self) -> list[str]:
        return canonical_networks(self.cleaned_data["allowed_networks"])

    def clean_expiry_date(self) -> Any:
        expires_at = self.cleaned_data.get("expiry_date")
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("The key would have expired already. Choose a moment in the future.")
        return expires_at


class RotationForm(forms.Form):
    """How long both keys work."""

    overlap_hours = forms.IntegerField(
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds() // 3600),
        initial=24,
        widget=UnfoldAdminTextInputWidget,
        help_text="Hours for which the old key still works beside the new one.",
    )


@admin.register(ApiKey)
class ApiKeyAdmin(PlatformAdmin):
    """Keys are made, rotated and revoked, never edited."""

    asks_reason = False
    form = ApiKeyForm
    list_display = ("prefix", "client", "name", "scopes", "created", "expiry_date", "last_used_at", "revoked")
    list_filter = ("revoked", "client")
    search_fields = ("prefix", "name", "client__organisation")
    autocomplete_fields = ("client",)
    list_select_related = ("client",)
    actions_detail = ("rotate", "revoke")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return _SETTINGS
        return ("prefix", *_SETTINGS, "created", "last_used_at", "revoked", "replaced_by")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("ethics.change_apikey"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        key, text = api_key_create(
            client=obj.client,
            name=obj.name,
            expires_at=obj.expiry_date,
            scopes=[Scope(scope) for scope in form.cleaned_data["scopes"]],
            allowed_networks=form.cleaned_data["allowed_networks"],
            requests_per_minute=obj.requests_per_minute,
            requests_per_day=obj.requests_per_day,
        )
        adopt_saved(obj, key)
        request.new_key_text = text  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self._shown_once(request, obj, request.new_key_text)  # type: ignore[attr-defined]

    def _shown_once(self, request: HttpRequest, key: ApiKey, text: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "The new API key",
            "opts": self.opts,
            "key": key,
            "key_text": text,
            "back_url": list_url(ApiKey),
        }
        response = TemplateResponse(request, "admin/api_key_created.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @action(description="Rotate key", url_path="rotate", permissions=["revoke"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the successor of a key; the old one ends after an overlap."""
        key = self.record_or_404(request, object_id)
        form = RotationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                successor, text = api_key_rotate(key=key, overlap=timedelta(hours=form.cleaned_data["overlap_hours"]))
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                return self._shown_once(request, successor, text)
        page = FormPage(
            title=f"Rotate the key {key.prefix}",
            intro=f"A new key of {key.client}, alike in all but its text. The old one ends after the overlap.",
            submit_label="Rotate",
        )
        return form_page(self, request, page, form, key)

    @action(description="Revoke key", url_path="revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Refuse the key from the next request on."""
        key = self.record_or_404(request, object_id)
        if request.method == "POST":
            if not key.revoked:
                api_key_revoke(key=key)
            messages.success(request, f"The key {key.prefix} is revoked.")
            return HttpResponseRedirect(object_url(key))
        page = FormPage(
            title=f"Revoke the key {key.prefix}",
            intro=f"Requests of {key.client} with this key are refused at once. This cannot be undone.",
            submit_label="Revoke",
            dangerous=True,
        )
        return form_page(self, request, page, ConfirmationForm(), key)
