"""Catalogue pages: their writes go through ``correlations.curation``."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.validators import RegexValidator
from django.db.models import ManyToManyField
from django.http import HttpRequest

from correlations.curation import curated_record_delete, curated_record_save, curated_relations_set
from ethics.admin.base import PlatformAdmin, PlatformInline


class CatalogueAdmin(PlatformAdmin):
    """Base of the catalogue's pages."""

    save_service = staticmethod(curated_record_save)
    delete_service = staticmethod(curated_record_delete)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> None:
        for field in form.instance._meta.many_to_many:
            if isinstance(field, ManyToManyField) and field.name in form.cleaned_data:
                curated_relations_set(
                    instance=form.instance, relation=field.name, members=form.cleaned_data[field.name]
                )
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)


class CatalogueInline(PlatformInline):
    """Rows under their parent; the parent's page saves them through the service."""


class PatternForm(forms.ModelForm):
    """A form whose fields must match a pattern; the message stands beside the field.

    The database holds the same rules; its own message would name a constraint and no field.
    """

    patterns: ClassVar[dict[str, tuple[str, str]]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (pattern, message) in self.patterns.items():
            if name in self.fields:
                self.fields[name].validators.append(RegexValidator(pattern, message))
