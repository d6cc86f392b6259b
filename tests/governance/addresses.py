"""Every address of the site, from the resolver itself: a view added later is visited, or the walk fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from tests.governance.canaries import PREFIX

# Routes without a name: Django's redirect from an old form of the change page, and the admin's answer to all else.
UNNAMED_ROUTES = ("<path:object_id>/", "(?P<url>.*)$")


class UnknownArguments(Exception):
    """The walk knows no arguments for a route: give it some in ``Samples``."""


@dataclass(frozen=True)
class Route:
    """A named route and the names of its arguments."""

    name: str
    arguments: frozenset[str]


@dataclass(frozen=True)
class Samples:
    """The records whose pages are visited, and the arguments of routes that are not pages of a record."""

    records: list[Model]
    arguments: Mapping[str, list[dict[str, Any]]]

    def addresses(self, route: Route) -> list[str]:
        """The addresses of a route, one for each record or argument.

        Raises:
            UnknownArguments: no sample for an argument of the route.
        """
        if not route.arguments:
            return [reverse(route.name)]
        if route.arguments == {"object_id"}:
            return [reverse(route.name, args=[record.pk]) for record in self._records_of(route)]
        if route.name not in self.arguments:
            raise UnknownArguments(f"{route.name} needs {', '.join(sorted(route.arguments))}")
        return [reverse(route.name, kwargs=arguments) for arguments in self.arguments[route.name]]

    def _records_of(self, route: Route) -> list[Model]:
        page = route.name.removeprefix("admin:")
        found = [
            record for record in self.records if page.startswith(f"{record._meta.app_label}_{record._meta.model_name}_")
        ]
        if not found:
            raise UnknownArguments(f"{route.name} needs a record of its model")
        return found


def routes() -> Iterator[Route]:
    """All named routes."""
    for names, pattern in _patterns(get_resolver(), ()):
        if pattern.name is not None:
            yield Route(":".join((*names, pattern.name)), frozenset(pattern.pattern.regex.groupindex))


def unnamed_routes() -> Iterator[str]:
    """The patterns of routes without a name."""
    for _, pattern in _patterns(get_resolver(), ()):
        if pattern.name is None:
            yield str(pattern.pattern)


def searches() -> Iterator[str]:
    """Searches for what all canaries begin with, in every list of the admin and in every choice of a relation."""
    for model, model_admin in admin.site._registry.items():
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        yield f"{reverse(page)}?q={PREFIX}"
        owners = [model_admin, *(inline(model, admin.site) for inline in model_admin.inlines)]
        for owner in owners:
            for field in owner.autocomplete_fields:
                options = owner.model._meta
                yield (
                    f"{reverse('admin:autocomplete')}?app_label={options.app_label}"
                    f"&model_name={options.model_name}&field_name={field}&term={PREFIX}"
                )
    yield f"{reverse('admin:search')}?s={PREFIX}"
    yield f"{reverse('api:practices')}?search={PREFIX}"
    yield f"{reverse('api:targets')}?search={PREFIX}"
    yield f"{reverse('api:evidence')}?search={PREFIX}"
    yield f"{reverse('api:practices')}?condition={PREFIX}"
    yield "/no-such-page"
    yield "/api/v1/no-such-endpoint/"
    yield "/admin/no/such/page/"


def _patterns(resolver: URLResolver, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield names, pattern
        else:
            yield from _patterns(pattern, (*names, pattern.namespace) if pattern.namespace else names)
