"""The state machine with trainings: snapshots, models, promotions and withdrawals carried through, in random order.

Runs are asked for and executed as the worker does it. Three things differ from a worker's: the configuration is the smallest
there is, the real text encoder is loaded once, and no ONNX file is written, which takes 50 times as long as all else; these
files are scanned in ``test_artefacts``. The gate leaves out the baselines, which no model of one epoch beats.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.test import override_settings
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from correlations.models import Practice
from ethics.models import GovernedItem, WithdrawalCase
from ethics.policy import Audience, Purpose, decide
from ethics.querysets import facts_of
from genomepath.artefacts import artefact_root, model_folder, snapshot_folder
from genomepath.ethics_scan import scan_folders
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.snapshot import read_snapshot
from genomepath.models import ModelVersion, Prediction, TrainingRun
from genomepath.models.model_version import VersionState
from genomepath.models.training_run import RunKind, RunState
from genomepath.registry import model_promote, model_retire
from genomepath.run_execution import run_execute
from genomepath.runs import run_request
from genomepath.withdrawal_processing import withdrawals_process
from tests.factories import make_correlation, make_model_version, make_practice, make_target, publish
from tests.governance.policy_machine import PolicyMachine, token

SMALLEST = {
    "epochs": 1, "width": 8, "layers": 1, "heads": 1, "feedforward": 8, "bridge": 8, "bridge_heads": 1, "head_hidden": 8,
}  # fmt: skip
PARAMETERS = {"hyperparameters": SMALLEST, "protocols": ["P1"], "workers": 1}
OPEN_PRACTICES, TARGETS = 7, 5


class TrainingMachine(PolicyMachine):
    """See the module."""

    def prepare(self) -> None:
        """Practices that stay open beside the governed ones, correlations of all, and a model that learned from them."""
        folder = tempfile.TemporaryDirectory()
        self._cleanups = [folder.cleanup]
        self._begin(override_settings(ARTEFACT_ROOT=Path(folder.name)))
        self._begin(mock.patch("genomepath.ml.training_run.MiniLMEncoder", _encoder))
        self._begin(mock.patch("genomepath.ml.judgement.MiniLMEncoder", _encoder))
        self._begin(mock.patch("genomepath.ml.onnx_export.export_onnx", lambda *graph: 0.0))
        self._begin(mock.patch("genomepath.ml.gate.BASELINES_TO_BEAT", ()))
        self._begin(mock.patch("genomepath.withdrawal_processing.logger.exception", _fail))
        targets = [self.target, *(make_target() for _ in range(TARGETS - 1))]
        still_open = [make_practice(title=token(), cultural_context=token()) for _ in range(OPEN_PRACTICES)]
        for row, practice in enumerate([*still_open, *self.practices]):
            for column in {row % TARGETS, (row + 1) % TARGETS, (row * row) % TARGETS}:
                make_correlation(practice, targets[column])
        self.still_open = {practice.item.community_id for practice in still_open}
        version = make_model_version(
            sha256=uuid.uuid4().hex * 2,
            folder="models/first",
            snapshot_folder="snapshots/first",
            trained_on=[practice.item.public_id for practice in self.practices[:1]],
        )
        TrainingRun.objects.create(
            state=RunState.SUCCEEDED.value,
            preset="small",
            parameters=PARAMETERS,
            model_version=version,
            requested_by="test",
        )
        publish(version, [*self.practices, *still_open], [self.target])

    def teardown(self) -> None:
        super().teardown()
        for cleanup in reversed(self._cleanups):
            cleanup()

    def governed_items(self) -> QuerySet[GovernedItem]:
        return GovernedItem.objects.exclude(community__in=self.still_open)

    @rule(seed=st.integers(0, 2))
    def train(self, seed: int) -> None:
        """Somebody asks for a training, and the worker does it."""
        run = run_request(
            kind=RunKind.TRAINING, preset="small", seed=seed, parameters=PARAMETERS, requested_by="test", enqueue=False
        )
        self._execute(run)

    @rule()
    def work_off_one_run(self) -> None:
        """The worker takes up what a withdrawal has asked for: a retraining, or its judgement with the promotion."""
        run = TrainingRun.objects.filter(state=RunState.QUEUED.value).order_by("pk").first()
        if run is not None:
            self._execute(run)

    @rule()
    def judge_and_promote(self) -> None:
        """The newest candidate takes the place of the model in service, if the gate lets it."""
        version = ModelVersion.objects.filter(state=VersionState.CANDIDATE.value).order_by("pk").last()
        if version is None or not model_folder(version).is_dir():
            return
        self._execute(
            run_request(
                kind=RunKind.EVALUATION, preset="small", parameters=PARAMETERS, model_version=version,
                requested_by="test", enqueue=False,
            )
        )  # fmt: skip
        self._promote(version)

    @rule(place=st.integers(0, 10))
    def go_back_to_an_older_model(self, place: int) -> None:
        """One that learned from what is withheld since is refused."""
        versions = list(ModelVersion.objects.exclude(state=VersionState.ACTIVE.value).order_by("pk"))
        if versions:
            self._promote(versions[place % len(versions)])

    @rule()
    def carry_withdrawals(self) -> None:
        """What the default queue does: purge, mark, ask for a retraining, delete files, keep the deadline."""
        withdrawals_process()
        withheld = self._withheld_from_training()
        serving = ModelVersion.objects.filter(state=VersionState.ACTIVE.value).first()
        kept = {model_folder(serving), artefact_root() / serving.snapshot_folder} if serving else set()
        decided = {item for case in WithdrawalCase.objects.all() for item in case.item_public_ids}
        gone = {text: item for text, item in _texts(withheld).items() if uuid.UUID(item) in decided}
        folders = [folder for kind in ("models", "snapshots") for folder in (artefact_root() / kind).glob("*")]
        assert scan_folders([folder for folder in folders if folder not in kept], gone) == []
        overdue = WithdrawalCase.objects.filter(deadline_at__lte=timezone.now())
        late = {item for case in overdue for item in case.item_public_ids} & {entry.public_id for entry in withheld}
        assert serving is None or not late & set(serving.trained_on), "past the deadline it serves no more"

    @invariant()
    def nothing_is_left_of_models_shut_away(self) -> None:
        """Their predictions are deleted, not only filtered."""
        assert not Prediction.objects.filter(model_version__state=VersionState.QUARANTINED.value).exists()

    def _execute(self, run: TrainingRun) -> None:
        """Carry a run out and look at what it left at this moment."""
        before = _active_sha256()
        withheld = self._withheld_from_training()
        done = run_execute(public_id=run.public_id)
        if done.kind == RunKind.TRAINING:
            assert done.state == RunState.SUCCEEDED, done.error
            assert done.model_version is not None
            self._look_at(done, done.model_version, withheld)
        self._look_at_promotion(before)

    def _look_at(self, run: TrainingRun, version: ModelVersion, withheld: list[GovernedItem]) -> None:
        """Snapshot, model folder and the run's own words hold what the policy allows for training, and no more."""
        refused = {item.pk for item in withheld}
        allowed = {practice for practice in Practice.objects.select_related("item") if practice.item_id not in refused}
        snapshot = snapshot_folder(run.data_sha256)
        assert {record.slug for record in read_snapshot(snapshot).practices} == {entry.slug for entry in allowed}
        assert set(version.trained_on) == {practice.item.public_id for practice in allowed}
        catalogue = json.loads((model_folder(version) / "catalogue.json").read_text(encoding="utf-8"))
        assert set(catalogue["practices"]) <= {entry.slug for entry in allowed}
        texts = _texts(withheld)
        assert scan_folders([snapshot, model_folder(version)], texts) == []
        said = f"{run.log} {run.message} {run.error} {run.parameters} {version.metrics} {version.gate}"
        assert not [text for text in texts if text in said]

    def _promote(self, version: ModelVersion) -> None:
        """In the place of the model in service; refused, that one goes on."""
        before = _active_sha256()
        with suppress(ValidationError), transaction.atomic():
            for active in ModelVersion.objects.filter(state=VersionState.ACTIVE.value):
                model_retire(version=active)
            model_promote(version=version, promoted_by="test")
        self._look_at_promotion(before)

    def _look_at_promotion(self, before: str) -> None:
        """A model that just went into service learned from nothing that is withheld now, and predicts nothing of it."""
        active = ModelVersion.objects.filter(state=VersionState.ACTIVE.value).first()
        if active is None or active.sha256 == before:
            return
        withheld = {item.public_id for item in self._withheld_from_training()}
        assert not withheld & set(active.trained_on)
        predicted = Prediction.objects.filter(model_version=active).values_list("practice__item__public_id", flat=True)
        assert predicted and set(predicted) <= set(active.trained_on)

    def _withheld_from_training(self) -> list[GovernedItem]:
        """By the pure policy, not by the queryset that the trainings use."""
        now = timezone.now()
        return [
            item
            for item in GovernedItem.objects.with_policy_facts()
            if not decide(facts_of(item), Purpose.TRAINING, Audience.PLATFORM, now).allowed
        ]

    def _begin(self, context: Any) -> None:
        """Enter it until the end of the example."""
        context.__enter__()
        self._cleanups.append(lambda: context.__exit__(None, None, None))


@cache
def _encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


def _fail(message: str, *values: object) -> None:
    """A case that could not be carried on is logged and tried again; here it is a finding."""
    raise AssertionError(message % values)


def _texts(items: list[GovernedItem]) -> dict[str, str]:
    """The unique texts of the practices of items, with the public id of the item."""
    practices = Practice.objects.filter(item__in=items).select_related("item")
    return {
        text: str(practice.item.public_id)
        for practice in practices
        for text in (practice.title, practice.cultural_context)
        if len(text) > len("canary-") + 30
    }


def _active_sha256() -> str:
    active = ModelVersion.objects.filter(state=VersionState.ACTIVE.value).first()
    return active.sha256 if active is not None else ""
