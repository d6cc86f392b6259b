"""Carrying withdrawals through: every step is idempotent and recorded, so that a crash anywhere only delays the rest.

From the commit of a decision on the policy withholds its items on every read; what is done here removes what was made of
them before: cached answers, published predictions, models and data, and tells who holds an export.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ethics.audit import AuditContext, audit_context
from ethics.expiry import expired_consents_react
from ethics.models import CaseState, GovernedItem, WithdrawalCase, WithdrawalStep
from ethics.policy import Purpose
from ethics.withdrawals import step_done, withdrawal_advance, withdrawal_alert, withdrawal_step_record
from genomepath.answer_cache import answers_purge
from genomepath.export_records import export_notices
from genomepath.models import ModelVersion, Prediction, TrainingRun
from genomepath.models.model_version import VersionState
from genomepath.models.training_run import RunKind, RunState
from genomepath.redis_bytes import RedisUnavailable
from genomepath.registry import CLIENT_AUDIENCES, model_quarantine, model_retire
from genomepath.withdrawal import models_mark_withheld, versions_trained_on
from genomepath.withdrawal_artefacts import (
    DELETED,
    concerned_folders,
    concerned_snapshots,
    concerned_versions,
    folders_delete,
)
from genomepath.withdrawal_retraining import (
    REQUESTER,
    Outlook,
    retraining_of,
    retraining_request,
    trainings_cancel,
)

logger = logging.getLogger(__name__)

CACHE = "answer cache"
# Any number that no other advisory lock of this database has.
WITHDRAWALS_LOCK = 0x57D4A3


def withdrawals_process() -> int:
    """Open the cases of consents that ended by the clock and carry every case on; returns how many are completed now.

    A completed case is looked at again only when a worker registers a model late. One case that fails doesn't
    stop the others; it is tried again in the next round. One process works at a time; another one leaves it to that one.
    """
    with audit_context(AuditContext(REQUESTER, "system")), _alone() as is_alone:
        if not is_alone:
            return 0
        expired_consents_react()
        models_mark_withheld()
        completed = 0
        for case in _cases_to_process():
            try:
                completed += withdrawal_process(case=case).state == CaseState.COMPLETED
            except Exception:  # the boundary of one case: its cause is logged, and the case stays open
                logger.exception("withdrawal case %s could not be carried on", case.public_id)
    return completed


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether this process got the lock; the database gives it back when the process dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [WITHDRAWALS_LOCK])
        (got,) = cursor.fetchone()
        try:
            yield bool(got)
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [WITHDRAWALS_LOCK])


def withdrawal_process(*, case: WithdrawalCase) -> WithdrawalCase:
    """Carry one case as far as it can go now.

    Raises:
        OSError: a file could not be read or deleted.
    """
    purged = _purge_cache(case)
    _delete_predictions(case)
    _note_marked_models(case)
    withdrawal_step_record(
        case=case, what="exports.listed", where="export records", exports=export_notices(case.item_public_ids)
    )
    trainings_cancel(case)
    replaced = _replace_active_model(case)
    _quarantine_versions(case)
    folders_delete(case)
    if not replaced:
        return case
    _copy_deletions_of_other_cases(case)
    waiting = any(folder.path.is_dir() for folder in concerned_folders(case)) or _files_may_come(case)
    if waiting or not purged:
        return case
    return withdrawal_advance(case=case, state=CaseState.COMPLETED)


def _purge_cache(case: WithdrawalCase) -> bool:
    """No answer of an older revision can be found again; this removes its bytes as well. Whether it was done."""
    if step_done(case, "answers.purged", CACHE):
        return True
    try:
        counts = {"answers": answers_purge()}
    except RedisUnavailable:  # the rest must not wait for it, a deadline least of all; the next round tries again
        logger.warning("the answer cache could not be purged for withdrawal case %s", case.public_id)
        return False
    withdrawal_step_record(case=case, what="answers.purged", where=CACHE, counts=counts)
    return True


@transaction.atomic
def _delete_predictions(case: WithdrawalCase) -> None:
    """Delete what was published about items that no client may be shown any more."""
    if step_done(case, "predictions.deleted", "published predictions"):
        return
    shown = set()
    for audience in CLIENT_AUDIENCES:
        allowed = GovernedItem.objects.permitted_for(Purpose.PREDICTION, audience)
        shown |= set(allowed.filter(public_id__in=case.item_public_ids).values_list("public_id", flat=True))
    gone = [public_id for public_id in case.item_public_ids if public_id not in shown]
    deleted, _ = Prediction.objects.filter(practice__item__public_id__in=gone).delete()
    counts = {"predictions": deleted, "items_withheld": len(gone), "items_still_shown": len(shown)}
    withdrawal_step_record(case=case, what="predictions.deleted", where="published predictions", counts=counts)


def _note_marked_models(case: WithdrawalCase) -> None:
    for version in concerned_versions(case):
        withdrawal_step_record(case=case, what="model.marked", where=f"model {version.sha256}")


def _replace_active_model(case: WithdrawalCase) -> bool:
    """Whether no model that was trained on the items serves any more; otherwise what can be done about it is done."""
    active = _concerned_active(case)
    if active is None:
        return True
    if timezone.now() >= case.deadline_at:
        withdrawal_advance(case=case, state=CaseState.OVERDUE)
        with transaction.atomic():
            model_retire(version=active)
            withdrawal_step_record(case=case, what="model.left_service", where=f"model {active.sha256}")
        withdrawal_alert(
            case=case, where="deadline", reason="The deadline passed: the model in service was taken out of service."
        )
        return True
    retraining = retraining_of(active)
    if retraining.outlook == Outlook.REFUSED:
        assert retraining.run is not None  # noqa: S101  a refusal is that of a run
        withdrawal_alert(case=case, where=f"run {retraining.run.public_id}", reason=retraining.reason)
    else:
        retraining_request(case=case, active=active)
    withdrawal_advance(case=case, state=CaseState.RETRAINING)
    return False


def _quarantine_versions(case: WithdrawalCase) -> None:
    concerned = concerned_versions(case)
    for version in concerned.exclude(state=VersionState.ACTIVE.value):
        if not step_done(case, "model.quarantined", f"model {version.sha256}"):
            with transaction.atomic():
                counts = {"predictions": model_quarantine(version=version)}
                withdrawal_step_record(
                    case=case, what="model.quarantined", where=f"model {version.sha256}", counts=counts
                )


def _copy_deletions_of_other_cases(case: WithdrawalCase) -> None:
    """A version that two cases concern is deleted once; both receipts list its files."""
    for version in versions_trained_on(case.item_public_ids).filter(state=VersionState.QUARANTINED.value):
        names = (f"model {version.sha256}", f"snapshot {version.data_sha256}")
        for where in names:
            other = WithdrawalStep.objects.filter(what=DELETED, where=where, done_at__isnull=False).exclude(case=case)
            found = other.order_by("-pk").first()
            if found is not None and not step_done(case, DELETED, where):
                withdrawal_step_record(
                    case=case, what=DELETED, where=where, counts=found.counts, artefacts=found.artefacts
                )


def _files_may_come(case: WithdrawalCase) -> bool:
    """Whether a training that took its snapshot before the decision has files, or may still write some."""
    unsaid = TrainingRun.objects.filter(
        kind=RunKind.TRAINING.value,
        state__in=[RunState.RUNNING.value, RunState.LOST.value],
        data_sha256="",
        started_at__lte=case.opened_at,
    )
    return bool(concerned_snapshots(case)) or unsaid.exists()


def _cases_to_process() -> QuerySet[WithdrawalCase]:
    """Open cases, and completed ones whose items stand in a version that a late worker registered after all."""
    late = ModelVersion.objects.filter(marked_at__isnull=False).exclude(
        state__in=[VersionState.ACTIVE.value, VersionState.QUARANTINED.value]
    )
    items = {public_id for trained_on in late.values_list("trained_on", flat=True) for public_id in trained_on}
    unfinished = ~Q(state=CaseState.COMPLETED.value) | Q(item_public_ids__overlap=list(items))
    return WithdrawalCase.objects.filter(unfinished).select_related("community").order_by("pk")


def _concerned_active(case: WithdrawalCase) -> ModelVersion | None:
    """The model in service, if it was trained on the items and these may not be trained on any more."""
    return concerned_versions(case).filter(state=VersionState.ACTIVE.value).first()
