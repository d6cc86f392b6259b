"""A site with a PostgreSQL and a Valkey that are its own, so that a test may end them."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import psycopg
from django.db import connection
from django.test import override_settings

from ethics.audit import AuditContext, audit_context
from ethics.clients import api_key_create, client_create
from ethics.policy import Audience
from neurobotanica.embedded import ServiceUrls, ensure_services, remove_services
from neurobotanica.embedded.home import find_home
from neurobotanica.embedded.postgres import PostgresServer
from neurobotanica.embedded.valkey import ValkeyServer
from neurobotanica.serving_bench.server import granian_server
from tests.genomepath.conftest import TrainedModel, put_into_service
from tests.service_home import PROJECT_ROOT

PER_MINUTE = 60_000
"""A tenth of it is what a process allows while Valkey is away."""


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)


@dataclass
class OwnServices:
    """The servers of a home, with a migrated database that holds a published catalogue and an API key."""

    home: Path
    urls: ServiceUrls
    artefacts: Path
    key: str = ""
    practice: str = ""
    community: str = ""
    target: str = ""

    @property
    def postgres(self) -> PostgresServer:
        """The database server."""
        opened = find_home(self.home)
        assert opened is not None
        return PostgresServer(opened)

    @property
    def valkey(self) -> ValkeyServer:
        """The cache and broker."""
        opened = find_home(self.home)
        assert opened is not None
        return ValkeyServer(opened)

    def ensure(self) -> None:
        """Start what does not run, where it was before."""
        assert ensure_services(self.home) == self.urls

    @contextmanager
    def as_django(self) -> Iterator[None]:
        """Django's connection in this thread leads to this database."""
        before = dict(connection.settings_dict)
        address = environ.Env.db_url_config(self.urls.database_url)
        connection.close()
        connection.settings_dict |= {name: address[name] for name in ("HOST", "PORT", "USER", "PASSWORD", "NAME")}
        options = {name: text for name, text in before["OPTIONS"].items() if name != "host"}
        connection.settings_dict["OPTIONS"] = {**options, **address.get("OPTIONS", {})}
        try:
            with override_settings(ARTEFACT_ROOT=self.artefacts), audit_context(AuditContext(reason="synthetic")):
                yield
        finally:
            connection.close()
            connection.settings_dict |= before

    def recorded_requests(self) -> set[str]:
        """The ids of all requests of which the audit log knows that they were answered or refused."""
        with psycopg.connect(self.urls.database_owner_url) as database:
            rows = database.execute("SELECT DISTINCT request_id FROM ethics_auditevent")
            return {row[0] for row in rows}


@contextmanager
def own_services(trained: TrainedModel) -> Iterator[OwnServices]:
    """Made for this block, and removed with all their data after it."""
    folder = Path(tempfile.mkdtemp(prefix="nb-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        services = OwnServices(folder / "home", ensure_services(folder / "home"), folder / "artefacts")
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, check=True, cwd=PROJECT_ROOT, env={**os.environ, **_addresses(services.urls)})
        with services.as_django():
            served = put_into_service(trained)
            client = client_create(organisation="Synthetic", audience=Audience.RESEARCH)
            _, services.key = api_key_create(client=client, name="faults", requests_per_minute=PER_MINUTE)
            practice = served.catalogue.practices[0]
            services.practice, services.community = practice.slug, practice.item.community.slug
            services.target = served.catalogue.targets[0].symbol
        yield services
    finally:
        remove_services(folder / "home")
        shutil.rmtree(folder)


def _addresses(urls: ServiceUrls) -> dict[str, str]:
    return {
        "DATABASE_URL": urls.database_url,
        "DATABASE_OWNER_URL": urls.database_owner_url,
        "REDIS_URL": urls.redis_url,
    }


@dataclass
class OwnSite:
    """A running web process over its own services; remembers which of its answers were good."""

    services: OwnServices
    port: int
    answered: set[str] = field(default_factory=set)

    @property
    def prediction(self) -> str:
        """The address of a prediction that exists."""
        return f"/api/v1/predictions/practices/{self.services.practice}/targets/"

    def ask(self, path: str, body: Any = None, **headers: str) -> Reply:
        """One request with the key; a body makes it a POST."""
        request_id = uuid.uuid4().hex
        sent = {"Authorization": f"Api-Key {self.services.key}", "X-Request-ID": request_id, **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            wire.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), sent)
            response = wire.getresponse()
            reply = Reply(
                response.status, {name.lower(): text for name, text in response.getheaders()}, response.read()
            )
        finally:
            wire.close()
        if reply.status == 200 and urlsplit(path).path.startswith("/api/v1/"):
            self.answered.add(request_id)
        return reply

    def unrecorded(self) -> set[str]:
        """Good answers of which the audit log knows nothing."""
        return self.answered - self.services.recorded_requests()


@contextmanager
def own_site(services: OwnServices, **variables: str) -> Iterator[OwnSite]:
    """A web process of one worker with these environment variables, ready."""
    services.ensure()
    environment = {
        **_addresses(services.urls),
        "ARTEFACT_ROOT": str(services.artefacts),
        "CELERY_KEY_PREFIX": "faults:",
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    with granian_server("neurobotanica.wsgi:application", ready_path="/readyz", workers=1, environment=environment) as (
        port,
        _,
    ):
        yield OwnSite(services, port)
