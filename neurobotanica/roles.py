"""The roles and what each may do: the table that the migration writes and the tests read.

Each role has the least that its work needs. Letters: v view, a add, c change, d delete. A permission opens a page; what
stands on it is decided by the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER

APP_LABELS = ("ethics", "correlations", "genomepath")
ACTIONS = {"v": "view", "a": "add", "c": "change", "d": "delete"}

_CATALOGUE_READING = {
    "correlations.practice": "v",
    "correlations.practiceindication": "v",
    "correlations.dosageprofile": "v",
    "correlations.condition": "v",
    "correlations.evidence": "v",
    "correlations.genomictarget": "v",
    "correlations.diseaseassociation": "v",
    "correlations.correlation": "v",
    "correlations.correlationevidence": "v",
    "correlations.synergypair": "v",
}

ROLES: Mapping[str, Mapping[str, str]] = {
    CURATOR: {
        "correlations.practice": "vac",
        "correlations.practiceindication": "vacd",
        "correlations.dosageprofile": "vacd",
        "correlations.condition": "vac",
        "correlations.evidence": "vac",
        "correlations.genomictarget": "vac",
        "correlations.diseaseassociation": "vacd",
        "correlations.correlation": "vac",
        "correlations.correlationevidence": "vacd",
        "correlations.synergypair": "vac",
        "correlations.importbatch": "v",
        "correlations.quarantinedrow": "vc",
        "ethics.community": "v",
        "ethics.governeditem": "v",
        "ethics.attribution": "v",
        "ethics.itemlabel": "v",
        "ethics.label": "v",
        "genomepath.modelversion": "v",
        "genomepath.prediction": "v",
    },
    COMPLIANCE_OFFICER: {
        "ethics.community": "vac",
        "ethics.communitysteward": "vad",
        "ethics.governeditem": "vac",
        "ethics.attribution": "vac",
        "ethics.itemlabel": "vac",
        "ethics.label": "vac",
        "ethics.consent": "vac",
        "ethics.consentitem": "v",
        "ethics.apiclient": "vac",
        "ethics.apikey": "vac",
        "ethics.alertnote": "v",
        "ethics.auditdailycount": "v",
        "ethics.auditarchive": "v",
        "ethics.auditevent": "v",
        "ethics.audithead": "v",
        "ethics.auditidentity": "v",
        "ethics.auditleaf": "v",
        "ethics.auditnode": "v",
        "ethics.auditreason": "v",
        "ethics.auditsigningkey": "v",
        "ethics.auditverification": "v",
        "ethics.policyrevision": "v",
        "ethics.savedfilter": "v",
        "ethics.statusloweringrequest": "vc",
        "ethics.withdrawalcase": "v",
        "ethics.withdrawalstep": "v",
        "ethics.withdrawalreceipt": "v",
        "correlations.practice": "v",
        "correlations.correlation": "v",
        "correlations.importbatch": "v",
        "genomepath.exportrecord": "v",
        "genomepath.trainingrun": "v",
        "genomepath.modelversion": "v",
        "genomepath.prediction": "v",
    },
    COMMUNITY_STEWARD: {
        "ethics.community": "vc",
        "ethics.communitysteward": "v",
        "ethics.governeditem": "vac",
        "ethics.attribution": "vac",
        "ethics.itemlabel": "vacd",
        "ethics.label": "v",
        "ethics.consent": "vac",
        "ethics.consentitem": "v",
        "ethics.statusloweringrequest": "vc",
        "ethics.withdrawalcase": "v",
        "ethics.withdrawalstep": "v",
        "ethics.withdrawalreceipt": "v",
        "correlations.practice": "v",
        "correlations.correlation": "v",
    },
    ML_ENGINEER: {
        **_CATALOGUE_READING,
        "genomepath.trainingrun": "vac",
        "genomepath.modelversion": "vc",
        "genomepath.prediction": "v",
        "genomepath.tuningpoint": "v",
        "genomepath.tuningstudy": "v",
    },
}


def permissions_of(role: str) -> Iterator[tuple[str, str]]:
    """(app label, codename) of every permission of a role."""
    for label, letters in ROLES[role].items():
        app_label, model_name = label.split(".")
        for letter in letters:
            yield app_label, f"{ACTIONS[letter]}_{model_name}"


def create_roles(apps: Any) -> None:
    """Create the roles with exactly their permissions, from within a migration.

    Permissions normally appear after all migrations, so they are made here first. Those of a model that a later migration
    creates are left to the role migration that follows it; a test holds the final state equal to the table.
    """
    from django.contrib.auth.management import create_permissions

    for app_label in APP_LABELS:
        config = apps.get_app_config(app_label)
        # A migration's app has no models module, and create_permissions passes over such apps.
        config.models_module = True
        create_permissions(config, verbosity=0, apps=apps)
    group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for role in ROLES:
        group, _ = group_model.objects.get_or_create(name=role)
        granted = [
            permission
            for app_label, codename in permissions_of(role)
            for permission in permission_model.objects.filter(content_type__app_label=app_label, codename=codename)
        ]
        group.permissions.set(granted)


def remove_roles(apps: Any) -> None:
    """Remove the roles; people who held them keep their accounts."""
    apps.get_model("auth", "Group").objects.filter(name__in=list(ROLES)).delete()
