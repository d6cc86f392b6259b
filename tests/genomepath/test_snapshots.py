"""What may leave the database for training, and that nothing tells of what may not."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError

from correlations.models import Correlation, PracticeIndication
from ethics.models import AuditEvent
from ethics.policy import Basis, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from genomepath.ml.snapshot import read_snapshot
from genomepath.snapshots import snapshot_export, snapshot_take
from tests.factories import (
    make_community,
    make_correlation,
    make_item,
    make_practice,
    make_synergy,
    make_target,
)

pytestmark = pytest.mark.django_db
CANARY = "canary-7f3e-never-to-leave"


def files_of(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def exported(folder, *, include_drafts: bool = False) -> dict[str, bytes]:
    snapshot_export(folder=folder, include_drafts=include_drafts)
    return files_of(folder)


def make_pair(**fields) -> Correlation:
    return make_correlation(make_practice(), make_target(), **fields)


def test_approved_correlations_of_a_documented_practice_are_taken():
    row = make_pair(confidence=0.6, quality="moderate", dose="high")

    taken = snapshot_take(include_drafts=False)

    assert [practice.slug for practice in taken.snapshot.practices] == [row.practice.slug]
    assert taken.item_public_ids == (row.practice.item.public_id,)
    (record,) = taken.snapshot.correlations
    assert (record.practice, record.target, record.dose, record.confidence, record.quality) == (
        row.practice.slug,
        row.target.symbol,
        "high",
        0.6,
        "moderate",
    )


@pytest.mark.parametrize(
    ("status", "by_default", "with_drafts"),
    [("approved", True, True), ("review", False, True), ("draft", False, True), ("rejected", False, False)],
)
def test_the_review_status_decides_over_a_correlation(status, by_default, with_drafts):
    make_pair()
    row = make_pair(status=status)

    def holds(include_drafts: bool) -> bool:
        snapshot = snapshot_take(include_drafts=include_drafts).snapshot
        return row.target.symbol in {record.target for record in snapshot.correlations}

    assert (holds(False), holds(True)) == (by_default, with_drafts)


def test_withheld_practices_and_their_correlations_are_left_out():
    kept = make_pair()
    objected, sacred = make_pair(), make_pair()
    unattributed = make_correlation(make_practice(item=make_item(statement="")), make_target())
    without_basis = make_correlation(make_practice(item=make_item(basis=Basis.NONE, basis_source="")), make_target())
    item_record_objection(item=objected.practice.item, reference="letter 1", reason="the community objects")
    item_set_status(item=sacred.practice.item, status=SacredStatus.SACRED)

    taken = snapshot_take(include_drafts=True)

    slugs = {practice.slug for practice in taken.snapshot.practices}
    assert slugs == {kept.practice.slug}
    assert {row.practice for row in taken.snapshot.correlations} == slugs
    for row in (objected, sacred, unattributed, without_basis):
        assert row.practice.item.public_id not in taken.item_public_ids


def test_nothing_allowed_is_an_error_that_points_to_drafts():
    make_pair(status="draft")

    with pytest.raises(ValidationError, match="Drafts are left out unless"):
        snapshot_take(include_drafts=False)


def test_a_refused_snapshot_leaves_no_event():
    with pytest.raises(ValidationError):
        snapshot_take(include_drafts=True)

    assert not AuditEvent.objects.filter(event_type="snapshot.exported").exists()


def test_a_sacred_practice_added_changes_no_byte(tmp_path):
    make_pair()
    make_synergy(make_target(), make_target())
    before = exported(tmp_path / "before")

    item = make_item(
        display_label="",
        basis=Basis.NONE,
        basis_source="",
        sacred_status=SacredStatus.SACRED,
        protected_names=[CANARY],
        statement="",
        community=make_community(name=f"{CANARY} people"),
    )
    practice = make_practice(
        item=item, title=CANARY, preparation=CANARY, cultural_context=CANARY, indications=(f"{CANARY} condition",)
    )
    make_correlation(practice, make_target("AAA1"))
    Correlation.objects.filter(practice=practice).update(mechanism=CANARY)
    target_free = exported(tmp_path / "after")

    assert CANARY.encode() not in b"".join(target_free.values())
    assert target_free["practices.jsonl"] == before["practices.jsonl"]
    assert target_free["correlations.jsonl"] == before["correlations.jsonl"]
    assert target_free["synergies.jsonl"] == before["synergies.jsonl"]


def test_a_sacred_practice_with_known_targets_leaves_the_whole_snapshot_the_same(tmp_path):
    row = make_pair()
    before = exported(tmp_path / "before")
    sacred = make_correlation(make_practice(), row.target)
    item_set_status(item=sacred.practice.item, status=SacredStatus.SACRED)

    assert exported(tmp_path / "after") == before


def test_equal_content_in_another_order_gives_equal_bytes(tmp_path):
    practice, targets = make_practice(indications=("b condition", "a condition")), [make_target() for _ in range(3)]
    PracticeIndication.objects.filter(practice=practice).update(position=0)
    for target in targets:
        make_correlation(practice, target)
    before = exported(tmp_path / "before")
    # Rewritten rows move to the end of the table: the order in which the database finds them changes.
    for target in reversed(targets):
        Correlation.objects.get(target=target).delete()
        make_correlation(practice, target)
    first = practice.practice_indications.order_by("pk")[0]
    condition = first.condition
    first.delete()
    PracticeIndication.objects.create(practice=practice, condition=condition, position=0)

    assert exported(tmp_path / "after") == before


def test_a_change_of_content_changes_the_hash():
    row = make_pair()
    before = snapshot_take(include_drafts=False).snapshot.data_sha256
    Correlation.objects.filter(pk=row.pk).update(confidence=0.61)

    assert snapshot_take(include_drafts=False).snapshot.data_sha256 != before


def test_an_exported_snapshot_reads_back_equal(tmp_path):
    make_pair()
    taken, manifest = snapshot_export(folder=tmp_path / "snapshot", include_drafts=False)

    assert read_snapshot(tmp_path / "snapshot") == taken.snapshot
    assert manifest["data_sha256"] == taken.snapshot.data_sha256
    assert manifest["counts"] == {"practices": 1, "targets": 1, "correlations": 1, "synergies": 0}


def test_exclusions_stand_with_reasons_in_the_audit_event_alone(tmp_path):
    kept, objected = make_pair(), make_pair()
    item_record_objection(item=objected.practice.item, reference="letter 1", reason="the community objects")

    files = exported(tmp_path / "snapshot")

    event = AuditEvent.objects.get(event_type="snapshot.exported")
    (excluded,) = event.details["excluded"]
    assert excluded.startswith(f"{objected.practice.item.public_id}:")
    assert "objection" in excluded.split(":")[1].lower()
    assert event.community_ids == [kept.practice.item.community.slug]
    content = b"".join(files.values()).decode()
    assert "exclu" not in content
    assert str(objected.practice.item.public_id) not in content
    assert set(json.loads(files["manifest.json"])) == {
        "schema",
        "purpose",
        "code_version",
        "data_sha256",
        "counts",
        "files",
    }
