"""The reason for a change, for templates of the admin that have no form of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

if TYPE_CHECKING:
    from ethics.admin.change_reason import ReasonForm

register = template.Library()


@register.simple_tag(takes_context=True)
def reason_form(context: dict[str, Any]) -> ReasonForm:
    """A form that asks for the reason, filled with the one that was sent with the action before."""
    # Template libraries are found while the theme's admin is still being imported.
    from ethics.admin.change_reason import FIELD, ReasonForm

    return ReasonForm(initial={FIELD: context["request"].POST.get(FIELD, "")})
