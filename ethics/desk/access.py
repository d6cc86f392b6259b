"""Who finds the desk: compliance officers. For everybody else, superusers without the role included, it does not exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from ethics.admin.visibility import COMPLIANCE_OFFICER, role_names

# The pages run no script and load nothing from elsewhere.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

View = Callable[..., HttpResponseBase]


def is_officer(person: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the person is a member of the staff who holds the officer's role."""
    return bool(person.is_active and getattr(person, "is_staff", False) and COMPLIANCE_OFFICER in role_names(person))


def officer_of(request: HttpRequest) -> User:
    """The officer who asks, on a page that lets nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101  officers_only let them in
    return request.user


def officers_only(view: View) -> View:
    """Answer everybody but officers as if there were no such page, whatever the method and the token.

    The check for forged requests comes second, so that its refusal tells nobody else that the page exists.
    """
    protected = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not is_officer(request.user):
            raise Http404("No such page.")
        response = protected(request, *args, **kwargs)
        response["Content-Security-Policy"] = CONTENT_POLICY
        response["Cache-Control"] = "no-store, private"
        return response

    return guarded
