"""Studies of hyperparameters that are trained on withdrawn items: stopped as trainings are, and waited for."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from ethics.models import WithdrawalCase
from ethics.withdrawals import withdrawal_step_record
from genomepath.models import TuningStudy
from genomepath.models.tuning import PointState
from genomepath.tuning import OPEN_STATES
from genomepath.tuning_execution import WITHHELD, tuning_study_stop
from genomepath.withdrawal import withheld_from_training

STOPPED = "tuning.stopped"


def concerned_studies(case: WithdrawalCase) -> QuerySet[TuningStudy]:
    """The studies with an item of the case in their snapshot that is still withheld."""
    return TuningStudy.objects.filter(trained_on__overlap=list(withheld_from_training(case.item_public_ids)))


def studies_stop(case: WithdrawalCase) -> int:
    """Stop every concerned study that has not ended; returns how many were stopped, by this or by their own workers."""
    cut_off = Q(points__state__in=OPEN_STATES) | Q(points__error=WITHHELD)
    studies = list(concerned_studies(case).filter(cut_off).distinct())
    for study in studies:
        with transaction.atomic():
            tuning_study_stop(study=study)
            withdrawal_step_record(case=case, what=STOPPED, where=study_name(study))
    return len(studies)


def studies_at_work(case: WithdrawalCase) -> list[TuningStudy]:
    """Those of which a process still trains a point: it ends with its epoch, or counts as dead some time later."""
    return list(concerned_studies(case).filter(points__state=PointState.RUNNING.value).distinct())


def study_name(study: TuningStudy) -> str:
    """How a receipt names a study."""
    return f"study {study.public_id}"
