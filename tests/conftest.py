"""Fixtures for all tests: a cache of one's own, committed databases, an API key."""

from __future__ import annotations

import copy
import fcntl
import os
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from rest_framework.test import APIClient

from ethics.audit import AuditContext, audit_context
from ethics.clients import api_key_create, client_create
from ethics.models import ApiClient
from ethics.policy import Audience
from tests.database_roles import APPLICATION, OWNER, ROLE_ADVICE, as_owner, connect_as, url_of
from tests.leftovers import drop_database, drop_leftovers
from tests.long_files import place_of


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first, so that no process is left with one when the others have nothing more to do."""
    items.sort(key=lambda item: place_of(item.path))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture of a test opens a transaction."""
    if item.get_closest_marker("database_owner"):
        connect_as(OWNER)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """After the last fixture of a test has closed its transaction."""
    if item.get_closest_marker("database_owner"):
        connect_as(APPLICATION)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say how a test that changes tables gets the right to do so."""
    report = yield
    if report.failed and any(sign in str(report.longrepr) for sign in ("permission denied for", "must be owner of")):
        report.sections.append(("database role", ROLE_ADVICE))
    return report


@pytest.fixture(autouse=True)
def fresh_cache(settings) -> None:
    """Each test sees an empty cache: its keys carry a prefix of their own, and this process remembers no answer."""
    from genomepath.serving import memory
    from genomepath.text_background import backgrounds

    memory.clear()
    backgrounds.clear()
    caches = copy.deepcopy(django_settings.CACHES)
    caches["default"]["KEY_PREFIX"] = f"test-{uuid.uuid4().hex}"
    settings.CACHES = caches


@pytest.fixture(autouse=True)
def stated_reason() -> Iterator[None]:
    """What a test itself changes has a reason. Requests, commands and tasks open contexts of their own, without it."""
    with audit_context(AuditContext(reason="synthetic reason")):
        yield


@pytest.fixture(autouse=True)
def artefacts(settings, tmp_path) -> None:
    """Snapshots, model folders, signing keys and signed heads of a test lie in its own folder."""
    settings.ARTEFACT_ROOT = tmp_path / "artefacts"
    settings.AUDIT_FOLDER = tmp_path / "audit"


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment, django_db_blocker, django_db_modify_db_settings, django_db_keepdb, django_db_createdb
) -> Iterator[None]:
    """The test database, always. pytest-django's own fixture makes none where only clones of it are asked for.

    The owner makes and drops it; the tests themselves run as the application's role, as the site does.
    """
    with django_db_blocker.unblock(), as_owner():
        keep = django_db_keepdb and not django_db_createdb
        if not keep:
            drop_leftovers(connection.creation.test_db_signature()[-1])
        made = setup_databases(verbosity=0, interactive=False, keepdb=keep)
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock(), as_owner():
            teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Callable[[str], AbstractContextManager[Path]]:
    """Opens a folder by its name for one process of the test run at a time: what is slow to make is made once there."""
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @contextmanager
    def opened(name: str) -> Iterator[Path]:
        folder = run / f"shared-{name}"
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder

    return opened


@dataclass(frozen=True)
class CommittedDatabase:
    """A database whose rows are really committed; other processes reach it by ``url``, as the application."""

    name: str
    url: str

    @property
    def owner_url(self) -> str:
        """Its address for the owner, whom no guard of the log stops."""
        return url_of(OWNER, self.name)


@pytest.fixture
def committed_database(django_db_setup, django_db_blocker) -> Iterator[CommittedDatabase]:
    """A clone of the migrated test database, for tests that commit.

    Django's own way of emptying tables is TRUNCATE, which the audit log refuses; so a clone is dropped instead.
    """
    source = connection.settings_dict["NAME"]
    clone = f"{source}_{uuid.uuid4().hex[:10]}"
    with django_db_blocker.unblock():
        with as_owner(), connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{clone}" TEMPLATE "{source}"')
        connection.settings_dict["NAME"] = clone
        try:
            yield CommittedDatabase(clone, url_of(APPLICATION, clone))
        finally:
            connection.settings_dict["NAME"] = source
            with as_owner(), connection._nodb_cursor() as cursor:
                drop_database(cursor, clone)


@dataclass(frozen=True)
class KeyedClient:
    """An API client of the platform with an HTTP client that carries its key."""

    record: ApiClient
    key: str
    http: APIClient


@pytest.fixture
def make_api_client():
    """Makes a keyed HTTP client for an audience."""

    def make(audience: Audience = Audience.COMMERCIAL, organisation: str = "") -> KeyedClient:
        record = client_create(organisation=organisation or f"Dispensary {uuid.uuid4().hex[:6]}", audience=audience)
        _, key = api_key_create(client=record, name="test")
        http = APIClient()
        http.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
        return KeyedClient(record, key, http)

    return make
