"""Carrying withdrawals through: every step is idempotent and recorded, so that a crash anywhere only delays the rest.

From the commit of a decision on the policy withholds its items on every read; what is done here removes what was made of
them before: cached answers, published predictions, models and data, and tells who holds an export.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ethics.audit import AuditContext, audit_context
from ethics.expiry import expired_consents_react
from ethics.models import CaseState, GovernedItem, ReceiptKind, WithdrawalCase, WithdrawalReceipt, WithdrawalStep
from ethics.policy import Purpose
from ethics.withdrawal_receipts import withdrawal_receipt_issue
from ethics.withdrawals import step_done, withdrawal_advance, withdrawal_alert, withdrawal_step_record
from genomepath.answer_cache import answers_purge
from genomepath.export_records import export_notices
from genomepath.models import ModelVersion, Prediction
from genomepath.models.model_version import VersionState
from genomepath.redis_bytes import RedisUnavailable
from genomepath.registry import CLIENT_AUDIENCES, model_quarantine, model_retire
from genomepath.withdrawal import models_mark_withheld, versions_trained_on
from genomepath.withdrawal_artefacts import DELETED, concerned_versions, folders_delete
from genomepath.withdrawal_retraining import (
    REQUESTER,
    Outlook,
    evaluations_cancel,
    retraining_of,
    retraining_request,
    trainings_cancel,
)
from genomepath.withdrawal_running import concerned_active, running_work
from genomepath.withdrawal_tuning import studies_stop

logger = logging.getLogger(__name__)

CACHE = "answer cache"
# Any number that no other advisory lock of this database has.
WITHDRAWALS_LOCK = 0x57D4A3


def withdrawals_process(*, patience: timedelta = timedelta()) -> int:
    """Open the cases of consents that ended by the clock and carry every case on; returns how many are completed now.

    A completed case is looked at again only when a worker registers a model late. One case that fails doesn't
    stop the others; it is tried again in the next round. One process works at a time; another one waits so long for it,
    because that one may have begun before the newest case was committed, and then leaves it to the next round.
    """
    with audit_context(AuditContext(REQUESTER, "system")), _alone(patience) as is_alone:
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
def _alone(patience: timedelta) -> Iterator[bool]:
    """Whether this process got the lock; the database gives it back when the process dies."""
    deadline = time.monotonic() + patience.total_seconds()
    with connection.cursor() as cursor:
        while not (got := _try_lock(cursor)) and time.monotonic() < deadline:
            time.sleep(0.2)
        try:
            yield got
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [WITHDRAWALS_LOCK])


def _try_lock(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [WITHDRAWALS_LOCK])
    return bool(cursor.fetchone()[0])


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
    evaluations_cancel(case)
    studies_stop(case)
    _replace_active_model(case)
    _quarantine_versions(case)
    folders_delete(case)
    _copy_deletions_of_other_cases(case)
    if not purged:
        return case
    running = running_work(case)
    if not case.receipts.exists():
        withdrawal_receipt_issue(case=case, running=running)
    # A request that was under way at the decision may have stored its answer after the first purge.
    return case if running or _purge(case) is None else _complete(case)


@transaction.atomic
def _complete(case: WithdrawalCase) -> WithdrawalCase:
    withdrawal_advance(case=case, state=CaseState.COMPLETED)
    withdrawal_receipt_issue(case=case)
    return case


def _purge_cache(case: WithdrawalCase) -> bool:
    """No answer of an older revision can be found again; this removes its bytes as well. Whether it was done."""
    if step_done(case, "answers.purged", CACHE):
        return True
    purged = _purge(case)
    if purged is None:
        return False
    withdrawal_step_record(case=case, what="answers.purged", where=CACHE, counts={"answers": purged})
    return True


def _purge(case: WithdrawalCase) -> int | None:
    """How many answers were deleted; None where the cache could not be reached."""
    try:
        return answers_purge()
    except RedisUnavailable:  # the rest must not wait for it, a deadline least of all; the next round tries again
        logger.warning("the answer cache could not be purged for withdrawal case %s", case.public_id)
        return None


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


def _replace_active_model(case: WithdrawalCase) -> None:
    """Do what can be done about a model in service that was trained on the items."""
    active = concerned_active(case)
    if active is None:
        return
    if timezone.now() >= case.deadline_at:
        withdrawal_advance(case=case, state=CaseState.OVERDUE)
        with transaction.atomic():
            model_retire(version=active)
            withdrawal_step_record(case=case, what="model.left_service", where=f"model {active.sha256}")
        withdrawal_alert(
            case=case, where="deadline", reason="The deadline passed: the model in service was taken out of service."
        )
        return
    retraining = retraining_of(active)
    if retraining.outlook == Outlook.REFUSED:
        assert retraining.run is not None  # noqa: S101  a refusal is that of a run
        withdrawal_alert(case=case, where=f"run {retraining.run.public_id}", reason=retraining.reason)
    else:
        retraining_request(case=case, active=active)
    withdrawal_advance(case=case, state=CaseState.RETRAINING)


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


def _cases_to_process() -> QuerySet[WithdrawalCase]:
    """Open cases, and completed ones without their final receipt or whose items a late worker's version holds."""
    late = ModelVersion.objects.filter(marked_at__isnull=False).exclude(
        state__in=[VersionState.ACTIVE.value, VersionState.QUARANTINED.value]
    )
    items = {public_id for trained_on in late.values_list("trained_on", flat=True) for public_id in trained_on}
    final = WithdrawalReceipt.objects.filter(case=OuterRef("pk"), kind=ReceiptKind.FINAL.value)
    unfinished = ~Exists(final) | Q(item_public_ids__overlap=list(items))
    return WithdrawalCase.objects.filter(unfinished).select_related("community").order_by("pk")
