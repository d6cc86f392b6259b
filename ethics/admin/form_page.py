"""A page with one small form: what an admin button opens when it needs a reason, a choice or a confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


@dataclass(frozen=True)
class FormPage:
    """What stands on the page. ``refusals`` are rules that failed, each in a readable sentence."""

    title: str
    submit_label: str
    intro: str = ""
    dangerous: bool = False
    refusals: Sequence[str] = field(default=())


class ConfirmationForm(forms.Form):
    """Asks nothing; its submission is the confirmation."""


def form_page(
    model_admin: ModelAdmin, request: HttpRequest, page: FormPage, form: forms.BaseForm, obj: Model | None = None
) -> TemplateResponse:
    """Render the page; 422 where the form has errors or the service refused."""
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "original": obj,
        "title": page.title,
        "page": page,
        "form": form,
        "media": model_admin.media + form.media,
        "back_url": object_url(obj) if obj is not None else list_url(model_admin.model),
    }
    status = 422 if form.errors or page.refusals else 200
    return TemplateResponse(request, "admin/form_page.html", context, status=status)


def object_url(obj: Model) -> str:
    """The admin page of a record."""
    return reverse(_url_name(type(obj), "change"), args=[obj.pk])


def list_url(model: type[Model]) -> str:
    """The admin list of a model."""
    return reverse(_url_name(model, "changelist"))


def _url_name(model: type[Any], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
