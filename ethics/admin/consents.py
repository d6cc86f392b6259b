"""Consents: recorded and withdrawn, never edited."""

from __future__ import annotations

import copy
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectMultipleWidget

from ethics.admin.base import PlatformAdmin, ViewOnlyAdmin, ViewOnlyInline, adopt_saved
from ethics.admin.form_fields import UnfoldAdminCheckboxSelectMultipleWidget, reason_field, take_service_errors
from ethics.admin.form_page import FormPage, form_page, object_url
from ethics.admin.visibility import visible_items
from ethics.consent import consent_record, consent_withdraw
from ethics.consent_conflicts import refuse_conflicts
from ethics.models import Consent, ConsentItem, GovernedItem
from ethics.models.choices import choices_of
from ethics.policy import Audience, ConsentState, Purpose

_RECORDABLE = [choice for choice in choices_of(ConsentState) if choice[0] != ConsentState.WITHDRAWN.value]


class ConsentForm(forms.ModelForm):
    """A decision of a community, as its document says it."""

    items = forms.ModelMultipleChoiceField(GovernedItem.objects.none(), required=False)
    purposes = forms.MultipleChoiceField(choices=choices_of(Purpose), widget=UnfoldAdminCheckboxSelectMultipleWidget)
    audiences = forms.MultipleChoiceField(choices=choices_of(Audience), widget=UnfoldAdminCheckboxSelectMultipleWidget)
    supersedes = forms.ModelMultipleChoiceField(
        Consent.objects.none(),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
        help_text="Earlier consents of the same community that this one replaces.",
    )

    class Meta:
        model = Consent
        fields = (
            "community", "scope", "items", "state", "purposes", "audiences",
            "valid_from", "valid_until", "document_reference", "document_sha256", "supersedes",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = _RECORDABLE  # type: ignore[attr-defined]
        self.fields["document_sha256"].validators.append(
            RegexValidator(r"^[0-9a-f]{64}$", "Give the SHA-256 of the document: 64 digits of 0-9 and a-f.")
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts, ends = cleaned.get("valid_from"), cleaned.get("valid_until")
        if starts and ends and ends <= starts:
            self.add_error("valid_until", "The consent must end after it begins.")
        community = cleaned.get("community")
        items = list(cleaned.get("items") or [])
        if cleaned.get("scope") == "items" and not items and "items" not in self.errors:
            self.add_error("items", "Name at least one item, or choose all items of the community.")
        if cleaned.get("scope") == "community" and items:
            self.add_error("items", "Leave this empty where the consent speaks of all items of the community.")
        if community is not None:
            if any(item.community_id != community.pk for item in items):
                self.add_error("items", "Every item must belong to the consenting community.")
            if any(earlier.community_id != community.pk for earlier in cleaned.get("supersedes") or ()):
                self.add_error("supersedes", "A consent can only supersede one of the same community.")
        if not self.errors:
            self._refuse_conflicts(cleaned)
        return cleaned

    def _refuse_conflicts(self, cleaned: dict[str, Any]) -> None:
        try:
            refuse_conflicts(
                community=cleaned["community"],
                items=None if cleaned["scope"] == "community" else list(cleaned["items"]),
                purposes=[Purpose(purpose) for purpose in cleaned["purposes"]],
                audiences=[Audience(audience) for audience in cleaned["audiences"]],
                state=ConsentState(cleaned["state"]),
                valid_from=cleaned["valid_from"],
                valid_until=cleaned["valid_until"],
                supersedes=list(cleaned["supersedes"]),
            )
        except ValidationError as error:
            take_service_errors(self, error)


class WithdrawalForm(forms.Form):
    """Why a consent is withdrawn."""

    reason = reason_field()


class ConsentItemInline(ViewOnlyInline):
    """The items that a consent names."""

    model = ConsentItem
    fields = readonly_fields = ("item",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """The items that the person may see: a consent may be open to somebody to whom a withheld item is not."""
        named: QuerySet = super().get_queryset(request).filter(item__in=visible_items(request.user))
        return named


@admin.register(Consent)
class ConsentAdmin(PlatformAdmin):
    """What communities allow, to whom, for what and until when."""

    community_path = "community"
    list_display = (
        "community",
        "scope",
        "state",
        "purposes_readable",
        "audiences_readable",
        "valid_from",
        "valid_until",
        "replaced",
    )
    list_filter = ("state", "scope", ("community", admin.RelatedOnlyFieldListFilter), "valid_until")
    search_fields = ("community__name", "document_reference", "=public_id")
    list_select_related = ("community",)
    autocomplete_fields = ("community",)
    actions_detail = ("withdraw",)

    @admin.display(description="Purposes")
    def purposes_readable(self, consent: Consent) -> str:
        return ", ".join(consent.purposes)

    @admin.display(description="Audiences")
    def audiences_readable(self, consent: Consent) -> str:
        return ", ".join(consent.audiences)

    @admin.display(description="Superseded", boolean=True)
    def replaced(self, consent: Consent) -> bool:
        return consent.superseded_by_id is not None

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ConsentForm.Meta.fields
        return (
            "public_id", "community", "scope", "state", "purposes_readable", "audiences_readable", "valid_from",
            "valid_until", "document_reference", "document_sha256", "recorded_by", "recorded_at", "withdrawn_at",
            "superseded_by",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return () if obj is None else self.get_fields(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Model | None):  # type: ignore[no-untyped-def]
        return (ConsentItemInline,) if obj is not None and obj.scope == "items" else ()  # type: ignore[attr-defined]

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any):  # type: ignore[no-untyped-def]
        kwargs.setdefault("form", ConsentForm if obj is None else forms.ModelForm)
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            # Copies: the fields of the class are shared by all requests, and the choices are this person's.
            form.base_fields = copy.deepcopy(form.base_fields)
            field = form.base_fields["items"]
            field.queryset = visible_items(request.user)
            field.widget = AutocompleteSelectMultiple(Consent._meta.get_field("items"), self.admin_site)
            field.widget.choices = field.choices
            form.base_fields["supersedes"].queryset = self.get_queryset(request).filter(superseded_by__isnull=True)
        return form

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_withdraw_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may withdraw a consent."""
        return bool(request.user.has_perm("ethics.change_consent"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        data = form.cleaned_data
        consent = consent_record(
            community=data["community"],
            items=None if data["scope"] == "community" else list(data["items"]),
            purposes=[Purpose(purpose) for purpose in data["purposes"]],
            audiences=[Audience(audience) for audience in data["audiences"]],
            state=ConsentState(data["state"]),
            valid_from=data["valid_from"],
            valid_until=data["valid_until"],
            document_reference=data["document_reference"],
            document_sha256=data["document_sha256"],
            recorded_by=request.user.get_username(),
            supersedes=list(data["supersedes"]),
        )
        adopt_saved(obj, consent)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> None:
        """The service wrote the named items."""

    @action(description="Withdraw consent", url_path="withdraw", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Withdraw, with a reason."""
        consent = self.record_or_404(request, object_id)
        form = WithdrawalForm(request.POST or None)
        if form.is_valid():
            try:
                consent_withdraw(consent=consent, reason=form.cleaned_data["reason"])
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                messages.success(request, "The consent is withdrawn. Nothing it covered is served from now on.")
                return HttpResponseRedirect(object_url(consent))
        page = FormPage(
            title=f"Withdraw the consent of {consent.community}",
            intro=(
                "From the next request on, nothing that this consent covers is used. Models trained on it are marked "
                "and can no longer be promoted. A withdrawal is not undone; a new consent is recorded instead."
            ),
            submit_label="Withdraw",
            dangerous=True,
        )
        return form_page(self, request, page, form, consent)


@admin.register(ConsentItem)
class ConsentItemAdmin(ViewOnlyAdmin):
    """Which item is named by which consent."""

    item_path = "item"
    shows_withheld = True
    list_display = ("item", "consent")
    search_fields = ("item__display_label", "consent__document_reference")
    list_select_related = ("item", "consent__community")
