"""The search form of the event list: what an officer may ask, checked, as filters of the log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from ethics.audit import registered_event_types
from ethics.audit.filters import AuditFilters, FilterError
from ethics.models import ApiClient, Community, GovernedItem
from ethics.policy import Audience, Purpose

_IDENTIFIER = re.compile(r"^[\w.:-]+$")
_SELDOM = ("actor", "refusal", "request_id")
_DATE_OR_TIME = "A day such as 2026-01-31, or a time such as 2026-01-31T08:00, in UTC."


class EventSearchForm(forms.Form):
    """Filled from a query string. Valid, it gives ``filters``; every fault stands at its field."""

    community = forms.ChoiceField(required=False)
    subject = forms.CharField(
        required=False,
        max_length=200,
        label="Practice or other subject",
        help_text="A public id, or the name of a practice that may be displayed.",
    )
    event_type = forms.ChoiceField(required=False, label="Type")
    client = forms.ChoiceField(required=False)
    actor = forms.CharField(required=False, max_length=150, help_text="The whole name of an account or client.")
    since = forms.CharField(required=False, max_length=40, label="From", help_text=_DATE_OR_TIME)
    until = forms.CharField(required=False, max_length=40, label="To", help_text="A day is taken in as a whole.")
    refusal = forms.CharField(required=False, max_length=120, label="Reason of a withheld request")
    request_id = forms.CharField(required=False, max_length=64, label="Request id")

    filters: AuditFilters

    def __init__(self, data: QueryDict | Mapping[str, Any]) -> None:
        super().__init__({name: data.get(name, "") for name in self.base_fields}, auto_id="search-%s", prefix=None)
        self.communities = dict(Community.objects.order_by("name").values_list("slug", "name"))
        self.clients = {
            str(public_id): organisation
            for public_id, organisation in ApiClient.objects.order_by("organisation").values_list(
                "public_id", "organisation"
            )
        }
        self._offer("community", "any community", list(self.communities.items()))
        self._offer("client", "any client", list(self.clients.items()))
        self._offer("event_type", "any type", _type_choices())
        for name, bound in self.fields.items():
            described = [f"search-{name}-help"] if bound.help_text else []
            if name in self.errors:
                bound.widget.attrs["aria-invalid"] = "true"
                described.append(f"search-{name}-error")
            if described:
                bound.widget.attrs["aria-describedby"] = " ".join(described)
        for name in ("since", "until"):
            self.fields[name].widget.attrs["placeholder"] = "YYYY-MM-DD"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        terms = {name: value for name, value in cleaned.items() if value}
        # One at a time first: each fault is told, at its own field.
        for name in list(terms):
            try:
                if name == "subject":
                    terms[name] = _subject(terms[name])
                AuditFilters.parse({name: terms[name]})
            except FilterError as error:
                self.add_error(name, str(error))
        if not self.errors:
            try:
                self.filters = AuditFilters.parse(terms)
            except FilterError as error:
                self.add_error(error.field, str(error))
        return cleaned

    def first_fields(self) -> list[forms.BoundField]:
        """What officers ask for most."""
        return [self[name] for name in self.fields if name not in _SELDOM]

    def more_fields(self) -> list[forms.BoundField]:
        """What stands behind 'More filters'."""
        return [self[name] for name in _SELDOM]

    def asks_more(self) -> bool:
        """Whether one of the latter is filled or wrong."""
        return any(self[name].value() or self[name].errors for name in _SELDOM)

    def terms(self) -> dict[str, str]:
        """What was asked, as it was asked, without the empty fields."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def _offer(self, name: str, nothing: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  declared above
        field.choices = [("", nothing), *choices]
        field.error_messages["invalid_choice"] = f"There is no such {(field.label or name).lower()}: “%(value)s”."


def _type_choices() -> list[tuple[str, Any]]:
    """Each family of types, then its members."""
    families: dict[str, list[tuple[str, str]]] = {}
    for name, kind in sorted(registered_event_types().items()):
        family = name.partition(".")[0]
        families.setdefault(family, [(f"{family}.*", f"{family}.* (all of them)")])
        families[family].append((name, f"{name} – {kind.meaning}"))
    return list(families.items())


def _subject(text: str) -> str:
    """The identifier that the log uses. A name is looked up among practices that may be displayed, and no others.

    Raises:
        FilterError: neither an identifier nor such a name, or a name of several practices.
    """
    if not text:
        return ""
    shown = GovernedItem.objects.permitted_for(Purpose.DISPLAY, Audience.PLATFORM)
    found = [
        str(public_id) for public_id in shown.filter(display_label__iexact=text).values_list("public_id", flat=True)[:5]
    ]
    if len(found) > 1:
        raise FilterError(
            "subject", f"Several practices have this name; give one of their ids: {', '.join(sorted(found))}."
        )
    if found:
        return found[0]
    if not _IDENTIFIER.match(text):
        raise FilterError("subject", "No practice that may be displayed has this name. Give a public id.")
    return text
