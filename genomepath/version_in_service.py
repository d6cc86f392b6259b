"""The model version in service. A request reads once which it is; what stands in its row is remembered in the process."""

from __future__ import annotations

from ethics.revisions import Revisions, current_revisions
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState

_NEEDED = ("sha256", "preset", "provisional", "data_sha256", "folder", "snapshot_folder")
# All that is remembered of the row is part of it, so that a version remembered under it is never outdated.
TOLD_BY = f"""
SELECT concat_ws(':', id, {", ".join(_NEEDED)}) FROM genomepath_modelversion WHERE state = '{VersionState.ACTIVE.value}'
"""  # noqa: S608  names of this module alone
_remembered: dict[str, ModelVersion] = {}


class NoActiveModel(Exception):
    """No model version is in service."""


def version_in_service(revisions: Revisions) -> ModelVersion:
    """The version that was in service when the revisions were read, with the fields that answers need.

    Raises:
        NoActiveModel: none was.
    """
    if revisions.model is None:
        raise NoActiveModel
    version = _remembered.get(revisions.model)
    if version is None:
        version = ModelVersion.objects.only(*_NEEDED).filter(pk=int(revisions.model.split(":")[0])).first()
        if version is None:
            raise NoActiveModel
        _remembered.clear()
        _remembered[revisions.model] = version
    return version


def serving_state() -> tuple[ModelVersion, int]:
    """The version in service and the policy revision, as committed at one moment.

    Raises:
        NoActiveModel: no model version is in service.
    """
    revisions = current_revisions()
    return version_in_service(revisions), revisions.policy
