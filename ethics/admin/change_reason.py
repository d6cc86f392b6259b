"""The reason for a change on admin pages: a required field beside the button that saves, deletes or runs an action.

Whatever the page then writes, inlines and bulk actions included, is written under that reason.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ethics.reasons import REASON_LENGTH, change_reason

FIELD = "change_reason"
LABEL = "Reason for this change"
HELP = "Kept in the audit log and in the history of the record. Write no detail of the knowledge here."


def _field() -> forms.CharField:
    return forms.CharField(
        label=LABEL, help_text=HELP, max_length=REASON_LENGTH, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


class ReasonForm(forms.Form):
    """Asks for the reason alone."""

    change_reason = _field()


class ReasonedForm(forms.ModelForm):
    """A form of a record that is changed only with a reason. The reason itself is no field of the record."""

    change_reason = _field()

    @property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name != FIELD]


class ReasonedActionForm(ActionForm):
    """The actions of a list; those that change records ask for the reason beside them."""

    change_reason = forms.CharField(
        label="",
        required=False,
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "aria-label": LABEL,
                "placeholder": LABEL,
                "title": HELP,
                "x-show": "action",
                "class": "action-reason",
            }
        ),
    )


class AsksReason:
    """Put before a ModelAdmin: adding, changing and deleting its records takes a reason, by form or by action."""

    asks_reason: ClassVar[bool] = True
    action_form = ReasonedActionForm
    # Asks for the reason on a page of its own.
    asking_actions: ClassVar[frozenset[str]] = frozenset({"delete_selected"})

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        may_write = self.has_change_permission(request, obj) if change else self.has_add_permission(request)  # type: ignore[attr-defined]
        if self.asks_reason and may_write:
            base: type[forms.ModelForm] = kwargs.get("form") or self.form  # type: ignore[attr-defined]
            if not issubclass(base, ReasonedForm):
                kwargs["form"] = type(base.__name__, (ReasonedForm, base), {})
        return super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list:
        """Without the reason, which stands below the inlines, beside the buttons."""
        return [
            (name, {**options, "fields": [entry for entry in options["fields"] if entry != FIELD]})
            for name, options in super().get_fieldsets(request, obj)  # type: ignore[misc]
        ]

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> Any:
        needs_reason = self.asks_reason and request.POST.get("action") not in self.asking_actions
        if needs_reason and not request.POST.get(FIELD, "").strip():
            raise ValidationError(f"{LABEL}: write it beside the action. Nothing was changed.")
        return super().response_action(request, queryset)  # type: ignore[misc]

    def under_reason(self, request: HttpRequest) -> AbstractContextManager[None]:
        """Work under the reason that was sent; without one the services refuse to change anything."""
        reason = request.POST.get(FIELD, "").strip() if request.method == "POST" else ""
        return change_reason(reason) if 0 < len(reason) <= REASON_LENGTH else nullcontext()

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        return self._with_reason(
            request,
            lambda: super(AsksReason, self).delete_view(request, object_id, extra_context),  # type: ignore[misc]
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        return self._with_reason(
            request,
            lambda: super(AsksReason, self).changelist_view(request, extra_context),  # type: ignore[misc]
        )

    def _with_reason(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            with self.under_reason(request):
                return view()
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
            return HttpResponseRedirect(request.get_full_path())
