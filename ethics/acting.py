"""Who is signed in while a request is answered, for services that depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, HttpResponse

Person = AbstractBaseUser | AnonymousUser

_acting: ContextVar[Person | None] = ContextVar("acting_person", default=None)


@contextmanager
def acting_as(person: Person | None) -> Iterator[None]:
    """Everything inside is done by this person; by the platform itself where there is none."""
    token = _acting.set(person)
    try:
        yield
    finally:
        _acting.reset(token)


def acting_person() -> Person | None:
    """The signed-in person, or None in tasks, commands and requests of nobody."""
    person = _acting.get()
    return person if person is not None and person.is_authenticated else None


class ActingPersonMiddleware:
    """Opens ``acting_as`` for the person of the session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting_as(getattr(request, "user", None)):
            return self.get_response(request)
