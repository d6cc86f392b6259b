"""Loads what texts are scored with before the first text asks for it."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.core.signals import request_started
from django.db import connections
from django.utils import timezone

from ethics.models.client import CLIENT_AUDIENCES
from genomepath.text_background import backgrounds
from genomepath.text_engine import ModelFolderUnreadable, text_engine
from genomepath.version_in_service import NoActiveModel, serving_state

logger = logging.getLogger(__name__)


def text_engine_warm_at_first_request() -> None:
    """Let the first request of this process, such as a health check, start the loading beside it.

    At import there is no process yet that will serve: commands and tests import the same module.
    """
    request_started.connect(_start, dispatch_uid=__name__)


def text_engine_warm() -> bool:
    """Load the active model and what stands behind each audience's texts; False where there is no model to load."""
    try:
        version, revision = serving_state()
        engine = text_engine(version)
    except (NoActiveModel, ModelFolderUnreadable) as error:
        logger.info("no text engine to load: %s", type(error).__name__)
        return False
    now = timezone.now()
    for audience in CLIENT_AUDIENCES:
        engine.gate.judge(text="hemp", audience=audience, policy_revision=revision, now=now)
        backgrounds.of(version, audience=audience, policy_revision=revision, now=now)
    return True


def _start(**_: Any) -> None:
    if request_started.disconnect(dispatch_uid=__name__):
        threading.Thread(target=_run, name="text-engine", daemon=True).start()


def _run() -> None:
    try:
        text_engine_warm()
    except Exception:
        # The first text tries again, and answers what there is to say.
        logger.warning("the text engine could not be loaded beforehand", exc_info=True)
    finally:
        connections.close_all()
