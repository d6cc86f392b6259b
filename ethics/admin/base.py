"""What every admin page of the platform has in common.

Rows come through the policy, choices of related rows as well; writes go through a service with its audit event; filters
answer only for declared lookups, so that no list can be asked about rows that it does not show. Django's own LogEntry is
not written: it would keep titles of records that are withheld later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet, TextField
from django.forms import BaseForm, BaseModelFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget

from ethics.admin.change_reason import AsksReason
from ethics.admin.history import audit_trail, field_history
from ethics.admin.visibility import Person, communities_of, curated_items, is_confined, visible_items
from ethics.records import governance_record_delete, governance_record_save

_FILTER_SUFFIXES = (
    "",
    "__exact",
    "__isnull",
    "__id__exact",
    "__gte",
    "__gt",
    "__lte",
    "__lt",
    "__year",
    "__month",
    "__day",
)


class VisibleChoices:
    """Offers, as the value of a relation, only rows that the admin of the related model shows to this person."""

    admin_site: Any

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        related_admin: DjangoModelAdmin | None = self.admin_site._registry.get(db_field.related_model)
        if related_admin is None:
            return super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        return related_admin.get_queryset(request)


class PlatformAdmin(AsksReason, VisibleChoices, ModelAdmin):
    """Base of the admin pages. ``item_path`` is the lookup from the model to its governed item; empty where none governs.

    ``community_path`` is the one to its community, for records of communities that no item governs.
    """

    item_path: ClassVar[str] = ""
    community_path: ClassVar[str] = ""
    shows_withheld: ClassVar[bool] = False
    deletable: ClassVar[bool] = False
    extra_lookups: ClassVar[Sequence[str]] = ()
    hidden_history_fields: ClassVar[Sequence[str]] = ()
    save_service: Callable[..., Any] = staticmethod(governance_record_save)
    delete_service: Callable[..., Any] = staticmethod(governance_record_delete)
    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = False
    change_form_show_cancel_button = True
    date_hierarchy: str | None = None
    formfield_overrides: Any = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return self.visible_to(request.user, super().get_queryset(request))

    def visible_to(self, user: Person, queryset: QuerySet) -> QuerySet:
        """The rows that this person may see."""
        if self.community_path and is_confined(user):
            return queryset.filter(**{f"{self.community_path}__in": communities_of(user)})
        if not self.item_path:
            return queryset
        items = visible_items(user) if self.shows_withheld else curated_items(user)
        return queryset.filter(**{f"{self.item_path}__in": items})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        declared = {*self.extra_lookups, *([self.date_hierarchy] if self.date_hierarchy else [])}
        for entry in self.get_list_filter(request):
            name = entry[0] if isinstance(entry, tuple | list) else entry
            declared.add(name if isinstance(name, str) else name.parameter_name)
        return any(lookup == f"{name}{suffix}" for name in declared for suffix in _FILTER_SUFFIXES)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.deletable and super().has_delete_permission(request, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """None for a NUL too: Django does so for what is no number, but asks the database for any text."""
        return None if "\x00" in object_id else super().get_object(request, object_id, from_field)

    def record_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The record of a button's page; absent and hidden records are answered alike."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404("No such record.")
        return obj

    def record_of_button(self, request: HttpRequest, object_id: object) -> Any:
        """The record that a button's permission is asked for, or None: the button's page says that it is absent.

        The address gives its text, which need be no number.
        """
        return None if object_id is None else self.get_object(request, unquote(str(object_id)))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        try:
            with self.under_reason(request):
                response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as error:
            # The form found nothing wrong, so the record changed meanwhile or a service knows more than the form.
            for message in error.messages:
                messages.error(request, message)
            return HttpResponseRedirect(request.get_full_path())
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change or form.has_changed():
            self.save_service(instance=obj, changed_fields=form.changed_data, created=not change)

    def save_formset(self, request: HttpRequest, form: BaseForm, formset: BaseModelFormSet, change: bool) -> None:
        formset.save(commit=False)
        for instance in formset.deleted_objects:
            self.delete_service(instance=instance)
        for instance, changed_fields in formset.changed_objects:
            self.save_service(instance=instance, changed_fields=changed_fields, created=False)
        for instance in formset.new_objects:
            self.save_service(instance=instance, changed_fields=[], created=True)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.delete_service(instance=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for instance in queryset:
            self.delete_service(instance=instance)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit event of the service is the record."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit event of the service is the record."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The audit events of the service are the record."""

    def absent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The answer for records that are absent or hidden."""
        response: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self.absent(request, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"History: {obj}",
            "opts": self.opts,
            "original": obj,
            "object": obj,
            "rows": field_history(obj, self.history_fields_hidden_from(request, obj)),
            "events": audit_trail(obj),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/record_history.html", context)

    def history_fields_hidden_from(self, request: HttpRequest, obj: Model) -> Sequence[str]:
        """Fields whose former values this person may not read."""
        return self.hidden_history_fields


class ViewOnlyAdmin(PlatformAdmin):
    """For records that nobody edits by hand, superusers included."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PlatformInline(VisibleChoices, TabularInline):
    """Rows under their parent, whose own page the policy has opened."""

    extra = 0
    show_change_link = False
    hide_title = True


class ViewOnlyInline(PlatformInline):
    """Rows under their parent that are written elsewhere."""

    can_delete = False
    max_num = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def adopt_saved(obj: Model, saved: Model) -> None:
    """Make the form's instance the row that a creating service wrote, for the pages that follow."""
    obj.__dict__.update(saved.__dict__)


__all__ = [
    "PlatformAdmin",
    "PlatformInline",
    "ViewOnlyAdmin",
    "ViewOnlyInline",
    "VisibleChoices",
    "adopt_saved",
]
