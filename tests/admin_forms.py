"""Fills in the forms of admin pages as a browser would."""

from __future__ import annotations

from typing import Any


def form_data(response: Any) -> dict[str, object]:
    """What a browser would send for the form of a page, unchanged."""
    context = response.context
    data: dict[str, object] = {}
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if isinstance(value, bool):
                data |= {bound.html_name: "on"} if value else {}
            elif isinstance(value, list | tuple) and bound.field.__class__.__name__ != "ModelMultipleChoiceField":
                data[bound.html_name] = "\n".join(map(str, value))
            elif bound.name == "change_reason":
                data[bound.html_name] = "synthetic reason"
            elif value is not None:
                data[bound.html_name] = value
    return data
