"""Stewards and the communities that they act for. Officers appoint and dismiss them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import ForeignKey, Model
from django.http import HttpRequest

from ethics.admin.base import PlatformAdmin, adopt_saved
from ethics.community_stewards import steward_appoint, steward_dismiss
from ethics.models import CommunitySteward
from ethics.roles import COMMUNITY_STEWARD


def dismiss(*, instance: CommunitySteward) -> None:
    """Deleting a row of the list is a dismissal."""
    steward_dismiss(steward=instance)


@admin.register(CommunitySteward)
class CommunityStewardAdmin(PlatformAdmin):
    """See the module. An appointment is not changed: it is ended, and another one made."""

    asks_reason = False
    community_path = "community"
    deletable = True
    delete_service = staticmethod(dismiss)
    list_display = ("user", "community", "appointed_by", "appointed_at")
    list_filter = (("community", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("user__username", "community__name")
    list_select_related = ("user", "community")
    autocomplete_fields = ("community",)
    fields = ("user", "community")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(groups__name=COMMUNITY_STEWARD).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        appointed = steward_appoint(user=obj.user, community=obj.community, appointed_by=request.user.get_username())
        adopt_saved(obj, appointed)
