"""Form fields and helpers that several admin forms use."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

__all__ = [
    "LinesField",
    "UnfoldAdminCheckboxSelectMultipleWidget",
    "UnfoldAdminSelectWidget",
    "UnfoldAdminSplitDateTimeWidget",
    "UnfoldAdminTextInputWidget",
    "UnfoldAdminTextareaWidget",
    "reason_field",
    "take_service_errors",
]


class LinesField(forms.Field):
    """A list of texts, one a line. Commas are part of a text."""

    def __init__(self, *, max_length: int = 300, **kwargs: object) -> None:
        self.max_length = max_length
        kwargs.setdefault("help_text", "One a line.")
        kwargs.setdefault("widget", UnfoldAdminTextareaWidget(attrs={"rows": 3}))
        super().__init__(**kwargs)  # type: ignore[arg-type]

    def prepare_value(self, value: object) -> object:
        return "\n".join(str(entry) for entry in value) if isinstance(value, list | tuple) else value

    def to_python(self, value: object) -> list[str]:
        if isinstance(value, list | tuple):
            return [str(entry) for entry in value]
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        for number, line in enumerate(value, start=1):
            if len(line) > self.max_length:
                raise ValidationError(
                    f"Line {number} has {len(line)} characters; at most {self.max_length} are allowed."
                )

    def has_changed(self, initial: object, data: object) -> bool:
        return self.to_python(initial) != self.to_python(data)


def reason_field(label: str = "Reason") -> forms.CharField:
    """A required reason of at most 300 characters: it is kept in the audit log."""
    return forms.CharField(
        label=label,
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept in the audit log. Write no detail of the knowledge here.",
    )


def take_service_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Show what a service refused: beside the field where the form has it, above the form otherwise."""
    errors: Iterable[tuple[str, list[str]]] = (
        error.message_dict.items() if hasattr(error, "error_dict") else [(NON_FIELD_ERRORS, error.messages)]
    )
    for name, messages in errors:
        field = name if name in form.fields else None
        for message in messages:
            form.add_error(field, message if field or name == NON_FIELD_ERRORS else f"{name}: {message}")
