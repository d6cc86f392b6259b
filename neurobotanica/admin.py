"""People and their roles. Roles are written by migration; here they are only given."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from ethics.admin.base import PlatformAdmin, ViewOnlyAdmin
from neurobotanica.accounts import account_record_password, account_save, account_set_roles

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class AccountAdmin(PlatformAdmin, DjangoUserAdmin):  # type: ignore[misc]
    """Accounts. They are closed (not active) and never deleted, because the log names them."""

    asks_reason = False
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "roles", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    add_fieldsets = DjangoUserAdmin.add_fieldsets
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "none"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        account_save(user=obj, changed_fields=form.changed_data, created=not change)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> None:
        if "groups" in form.cleaned_data:
            account_set_roles(user=form.instance, roles=list(form.cleaned_data["groups"]))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
                account_record_password(user=self.record_or_404(request, id))
        return response


@admin.register(Group)
class RoleAdmin(ViewOnlyAdmin):
    """Roles and their permissions, as the migration wrote them."""

    list_display = ("name",)
    search_fields = ("name",)
