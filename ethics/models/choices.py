"""Django choices from the policy's enumerations."""

from enum import StrEnum


def choices_of(values: type[StrEnum]) -> list[tuple[str, str]]:
    """A (value, readable name) pair for each member."""
    return [(member.value, member.value.replace("_", " ").capitalize()) for member in values]
