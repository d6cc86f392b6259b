"""A broker of one's own: the real one, under a key prefix that no other test uses."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from neurobotanica.celery_app import app


@contextmanager
def broker_settings(*, url: str = "", **transport_options: object) -> Iterator[None]:
    """The application talks to this broker inside the block."""
    before = app.conf.broker_url, app.conf.broker_transport_options
    _connect(url or before[0], {**before[1], **transport_options})
    try:
        yield
    finally:
        _connect(*before)


def _connect(url: str, transport_options: dict[str, Any]) -> None:
    application: Any = app
    application.conf.broker_url, application.conf.broker_transport_options = url, transport_options
    application._after_fork()  # forgets its connections, as in a new process


@dataclass(frozen=True)
class OwnBroker:
    """``key_prefix`` is what another process takes from CELERY_KEY_PREFIX."""

    key_prefix: str
    store: redis.Redis

    def waiting_runs(self) -> list[str]:
        """The public ids in the messages of the ML queue, oldest first."""
        messages = reversed(self.store.lrange(f"{self.key_prefix}ml", 0, -1))
        return [json.loads(base64.b64decode(json.loads(message)["body"]))[0][0] for message in messages]


@contextmanager
def own_broker() -> Iterator[OwnBroker]:
    """Its keys are removed at the end."""
    prefix = f"test-{uuid.uuid4().hex}:"
    with broker_settings(global_keyprefix=prefix), redis.Redis.from_url(app.conf.broker_url) as store:
        try:
            yield OwnBroker(prefix, store)
        finally:
            for key in store.scan_iter(f"{prefix}*"):
                store.delete(key)
