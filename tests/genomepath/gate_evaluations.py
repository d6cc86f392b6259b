"""Evaluations as the gate meets them: what a test does to the evaluation of a version, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Callable

from ethics.models import AuditEvent
from genomepath.models import ModelVersion


def differences(evaluation: dict) -> list[dict]:
    """The P1 estimates of the model minus a baseline that the gate looks at."""
    found = evaluation["protocols"]["P1"]["differences"]
    return [found[name][way] for name in ("popularity", "zero-shot cosine") for way in found[name]]


def beats_the_baselines(evaluation: dict) -> None:
    for estimate in differences(evaluation):
        estimate.update(value=0.2, low=0.1, high=0.3)


def loses_to_a_baseline(evaluation: dict) -> None:
    beats_the_baselines(evaluation)
    differences(evaluation)[0].update(value=-0.2, low=-0.3, high=-0.1)


def ranks_every_pair(value: float) -> Callable[[dict], None]:
    def change(evaluation: dict) -> None:
        beats_the_baselines(evaluation)
        for outcome in evaluation["protocols"]["P1"]["outcomes"]:
            outcome.update(tk_to_genomic=value, genomic_to_tk=value)

    return change


def events(version: ModelVersion) -> list[str]:
    found = AuditEvent.objects.filter(model_sha256=version.sha256).order_by("pk")
    return [event.event_type for event in found]
