"""API clients and their keys. A key is shown once, when it is made; only its hash is stored."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from rest_framework_api_key.models import APIKey
from unfold.decorators import action

from ethics.admin.base import PlatformAdmin, ViewOnlyInline, adopt_saved
from ethics.admin.form_page import ConfirmationForm, FormPage, form_page, list_url, object_url
from ethics.clients import api_key_create, api_key_revoke, client_create, client_update
from ethics.models import ApiClient, ApiKey
from ethics.policy import Audience

try:
    admin.site.unregister(APIKey)
except NotRegistered as error:
    raise RuntimeError("ethics must stand after rest_framework_api_key in INSTALLED_APPS") from error


class ApiKeyInline(ViewOnlyInline):
    """The keys of a client."""

    model = ApiKey
    fields = readonly_fields = ("prefix", "name", "created", "expiry_date", "revoked")
    show_change_link = True


@admin.register(ApiClient)
class ApiClientAdmin(PlatformAdmin):
    """The organisations that ask. The audience decides what a client may see."""

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

    class Meta:
        model = ApiKey
        fields = ("client", "name", "expiry_date")

    def clean_expiry_date(self) -> Any:
        expires_at = self.cleaned_data.get("expiry_date")
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("The key would have expired already. Choose a moment in the future.")
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(PlatformAdmin):
    """Keys are made and revoked, never edited."""

    form = ApiKeyForm
    list_display = ("prefix", "client", "name", "created", "expiry_date", "revoked")
    list_filter = ("revoked", "client")
    search_fields = ("prefix", "name", "client__organisation")
    autocomplete_fields = ("client",)
    list_select_related = ("client",)
    actions_detail = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("client", "name", "expiry_date")
        return ("prefix", "client", "name", "created", "expiry_date", "revoked")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("ethics.change_apikey"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        key, text = api_key_create(client=obj.client, name=obj.name, expires_at=obj.expiry_date)
        adopt_saved(obj, key)
        request.new_key_text = text  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "The new API key",
            "opts": self.opts,
            "key": obj,
            "key_text": request.new_key_text,  # type: ignore[attr-defined]
            "back_url": list_url(ApiKey),
        }
        return TemplateResponse(request, "admin/api_key_created.html", context)

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
