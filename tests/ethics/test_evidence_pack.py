"""The export of evidence packs: what is in one, that its own program verifies it, what is refused, what is recorded."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from ethics import audit
from ethics.audit import AuditContext, pack_contents
from ethics.audit.filters import AuditFilters
from ethics.audit.pack import EvidencePack, PackError, evidence_pack_write
from ethics.audit.sealing import seal_round
from ethics.audit.shredding import identity_shred, reason_shred
from ethics.audit.signing import audit_key_rotate, signing_key
from ethics.clients import client_create
from ethics.models import AuditEvent, AuditHead, AuditIdentity
from ethics.policy import Audience, Purpose
from tests.factories import make_community

pytestmark = pytest.mark.django_db
OFFICER = AuditContext("an officer", "compliance officer", request_id="request-of-officer")
ANN = AuditContext("Ann Curator", "curator", request_id="request-1")
SERVED: dict[str, Any] = {"purpose": Purpose.PREDICTION, "model_sha256": "0" * 64}


@pytest.fixture
def log() -> dict[str, AuditEvent]:
    """Events of two communities, sealed in two rounds."""
    make_community(slug="one")
    make_community(slug="two")
    client = client_create(organisation="Dispensary One", audience=Audience.COMMERCIAL)
    of_client = AuditContext("Dispensary One", "client", client_id=str(client.public_id), request_id="request-2")
    details: dict[str, Any] = {"direction": "tk_to_genomic", "count": 2}
    served = {
        f"served {number}": audit.record(
            "prediction.served", subjects=["item-1"], communities=["one"], details=details, context=of_client, **SERVED
        )
        for number in range(3)
    }
    seal_round()
    return served | {
        "withdrawn": audit.record(
            "consent.withdrawn", subjects=["item-2"], communities=["two"], reason="the elders asked", context=ANN
        ),
        "withheld": audit.record(
            "text.withheld", subjects=["item-2"], details={"reasons": ["named"]}, context=of_client, **SERVED
        ),
    }


def export(tmp_path: Path, filters: AuditFilters | None = None, **options: Any) -> EvidencePack:
    """Within a test's transaction nothing seals by itself."""
    seal_round()
    return evidence_pack_write(
        filters=filters or AuditFilters(), destination=tmp_path / "pack.zip", requested_by=OFFICER, **options
    )


def content(pack: EvidencePack, name: str) -> bytes:
    with zipfile.ZipFile(pack.path) as archive:
        return archive.read(name)


def records(pack: EvidencePack, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content(pack, name).splitlines()]


def verified(pack: EvidencePack, *arguments: str) -> str:
    """What the pack's own program says of it, unpacked, in an empty environment."""
    folder = pack.path.with_suffix(".unpacked")
    with zipfile.ZipFile(pack.path) as archive:
        archive.extractall(folder)
    command = [sys.executable, "-I", "-S", "-B", "verify.py", "--key", pack.fingerprint, *arguments]
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RESULT: VERIFIED" in done.stdout
    return " ".join(done.stdout.split())


def test_pack_of_the_whole_log_is_complete_and_verified_by_its_own_program(log, tmp_path: Path) -> None:
    pack = export(tmp_path)
    assert f"The pack is complete: it holds all {pack.events} events" in verified(pack)
    assert pack.tree_size == pack.events == AuditEvent.objects.count() - 1
    assert pack.heads == 2


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"community": "one"}, ["served 0", "served 1", "served 2"]),
        ({"event_type": "consent.*"}, ["withdrawn"]),
        ({"subject": "item-2"}, ["withdrawn", "withheld"]),
        ({"actor": "Ann Curator"}, ["withdrawn"]),
        ({"refusal": "named"}, ["withheld"]),
        ({"request_id": "request-2", "community": "one"}, ["served 0", "served 1", "served 2"]),
    ],
    ids=str,
)
def test_pack_holds_exactly_the_filtered_events_in_the_order_of_the_log(log, tmp_path: Path, filters, names) -> None:
    pack = export(tmp_path, AuditFilters(**filters))
    found = [event["event_id"] for event in records(pack, "events.jsonl")]
    assert found == [str(log[name].event_id) for name in names]
    assert "other events of the log up to that head are not here" in verified(pack)


def test_period_is_told_in_whole_moments(log, tmp_path: Path) -> None:
    moment = AuditEvent.objects.get(pk=log["withdrawn"].pk).occurred_at
    pack = export(tmp_path, AuditFilters(since=moment, community="two"))
    assert json.loads(content(pack, "manifest.json"))["filters"] == {
        "community": "two",
        "since": moment.isoformat(timespec="microseconds"),
    }
    verified(pack)


def test_event_lines_are_the_canonical_bytes(log, tmp_path: Path) -> None:
    pack = export(tmp_path, AuditFilters(community="two"))
    assert content(pack, "events.jsonl") == log["withdrawn"].canonical.encode() + b"\n"


def test_names_and_reasons_are_disclosed_with_their_salts(log, tmp_path: Path) -> None:
    pack = export(tmp_path, AuditFilters(community="two"))
    disclosed = records(pack, "disclosures.jsonl")
    assert [(entry["kind"], entry["text"]) for entry in disclosed] == [
        ("actor", "Ann Curator"),
        ("reason", "the elders asked"),
    ]
    assert "names: 1, reasons: 1, each fits its commitment (not disclosed: 0 and 0)" in verified(pack)


def test_shredded_names_and_reasons_are_absent_and_the_pack_verifies(log, tmp_path: Path) -> None:
    identity_shred(identity=AuditIdentity.objects.get(name="Ann Curator"), reason="asked to")
    reason_shred(event=log["withdrawn"], reason="asked to")
    pack = export(tmp_path, AuditFilters(community="two"))
    assert content(pack, "disclosures.jsonl") == b""
    assert "(not disclosed: 1 and 1)" in verified(pack)


def test_names_and_reasons_stay_in_when_asked(log, tmp_path: Path) -> None:
    pack = export(tmp_path, AuditFilters(community="two"), disclose=False)
    with zipfile.ZipFile(pack.path) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"Ann Curator" not in whole
    assert b"the elders asked" not in whole
    verified(pack)


def test_filter_by_actor_names_nobody_in_manifest_and_log(log, tmp_path: Path) -> None:
    pack = export(tmp_path, AuditFilters(actor="Ann Curator"), disclose=False)
    commitment = AuditIdentity.objects.get(name="Ann Curator").commitment
    assert json.loads(content(pack, "manifest.json"))["filters"] == {"actor": commitment}
    assert "Ann Curator" not in AuditEvent.objects.get(event_type="evidence_pack.exported").canonical


def test_same_log_gives_the_same_bytes(log, tmp_path: Path) -> None:
    filters = AuditFilters(community="one")
    first = export(tmp_path, filters)
    (tmp_path / "again").mkdir()
    second = export(tmp_path / "again", filters, tree_size=first.tree_size)
    assert AuditHead.objects.order_by("-tree_size")[0].tree_size > second.tree_size
    assert second.sha256 == first.sha256


def test_pack_as_of_an_earlier_head_ends_there(log, tmp_path: Path) -> None:
    size = AuditHead.objects.get().tree_size
    pack = export(tmp_path, tree_size=size)
    assert (pack.events, pack.heads, pack.not_sealed) == (size, 1, 0)
    verified(pack)


def test_export_is_an_event_with_filters_count_and_hash(log, tmp_path: Path) -> None:
    pack = export(tmp_path, AuditFilters(community="two", event_type="consent.*"))
    event = AuditEvent.objects.get(event_type="evidence_pack.exported")
    assert event.actor_name == "an officer"
    assert event.community_ids == ["two"]
    assert event.details == {
        "filters": ["community=two", "event_type=consent.*"],
        "events": 1,
        "tree_size": pack.tree_size,
        "sha256": sha256(pack.path.read_bytes()).hexdigest(),
    }


def test_pack_is_its_owners_alone(log, tmp_path: Path) -> None:
    assert export(tmp_path).path.stat().st_mode & 0o777 == 0o600


def test_summary_counts_by_type_community_client_and_reason(log, tmp_path: Path) -> None:
    page = content(export(tmp_path), "summary.html").decode()
    for text in ("prediction.served", "Community", "Dispensary One", "named", "not medical advice", "verify.py --key"):
        assert text in page
    assert "Ann Curator" not in page
    for forbidden in ("<script", "http://", "https://", "<link", "<img"):
        assert forbidden not in page.replace("http-equiv", "")


def test_program_in_the_pack_is_the_platforms(log, tmp_path: Path) -> None:
    pack = export(tmp_path)
    assert content(pack, "verify.py") == Path("ethics/audit/verify.py").read_bytes()


def test_pack_of_a_rotated_key_is_vouched_for_by_the_first_and_the_second(log, tmp_path: Path) -> None:
    first = signing_key()
    second = audit_key_rotate()
    seal_round()
    audit.record("item.objected", subjects=["item-2"], communities=["two"], reason="no", context=ANN)
    pack = export(tmp_path)
    assert [key["key_id"] for key in records(pack, "keys.jsonl")] == [first.key_id, second.key_id]
    assert {head["key_id"] for head in records(pack, "heads.jsonl")} == {first.key_id, second.key_id}
    verified(pack)
    verified(pack, "--key", sha256(bytes(second.public_key)).hexdigest())


def test_heads_beyond_the_bound_are_spread_and_counted(log, tmp_path: Path, monkeypatch) -> None:
    for number in range(30):
        audit.record("item.objected", subjects=["item-2"], communities=["two"], reason=str(number), context=ANN)
        seal_round()
    sizes = sorted(AuditHead.objects.values_list("tree_size", flat=True))
    monkeypatch.setattr(pack_contents, "MOST_HEADS", 10)
    pack = export(tmp_path)
    packed = [head["tree_size"] for head in records(pack, "heads.jsonl")]
    assert 5 <= len(packed) <= 10
    assert (packed[0], packed[-1]) == (sizes[0], sizes[-1])
    assert pack.heads_left_out == len(sizes) - len(packed)
    verified(pack)


def test_heads_before_the_first_event_are_left_out(log, tmp_path: Path) -> None:
    pack = export(tmp_path, AuditFilters(event_type="consent.*"))
    assert AuditHead.objects.count() == 2
    assert pack.heads == 1
    verified(pack)


@pytest.mark.database_owner
def test_events_in_the_archive_are_counted_and_the_others_verify(log, tmp_path: Path) -> None:
    seal_round()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ethics_auditevent DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM ethics_auditevent WHERE id = %s", [log["served 0"].pk])
    pack = export(tmp_path, AuditFilters(community="one"))
    assert (pack.events, pack.not_here) == (2, 1)
    assert "1 older event of the log, moved to the archive" in content(pack, "summary.html").decode()
    assert "1 events of the log that were moved to the archive, not looked through" in verified(pack)


class TestRefusal:
    """A pack that can't be made leaves nothing behind: no file and no event."""

    @pytest.fixture(autouse=True)
    def nothing_is_left(self, log, tmp_path: Path):
        yield
        assert [entry.name for entry in tmp_path.rglob("*") if entry.name.endswith((".zip", ".part"))] == []
        assert not AuditEvent.objects.filter(event_type="evidence_pack.exported").exists()

    @pytest.mark.parametrize(
        ("filters", "message"),
        [
            ({"community": "three"}, "There is no community 'three'"),
            ({"client": "nobody"}, "There is no client 'nobody'"),
            ({"actor": "nobody"}, "There is no actor 'nobody'"),
            ({"subject": "item-9"}, "No event passes the filters"),
            ({"event_type": "consent.lost"}, "No event passes the filters"),
        ],
        ids=str,
    )
    def test_of_a_filter_that_nothing_passes(self, tmp_path: Path, filters: dict, message: str) -> None:
        with pytest.raises(PackError, match=message):
            export(tmp_path, AuditFilters(**filters))

    def test_of_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(PackError, match="There is no folder"):
            export(tmp_path / "nowhere")

    def test_of_a_folder_as_file(self, tmp_path: Path) -> None:
        with pytest.raises(PackError, match="is a folder"):
            evidence_pack_write(filters=AuditFilters(), destination=tmp_path, requested_by=OFFICER)

    def test_of_a_name_that_is_too_long(self, tmp_path: Path) -> None:
        with pytest.raises(PackError, match="can't be written"):
            evidence_pack_write(filters=AuditFilters(), destination=tmp_path / ("a" * 300), requested_by=OFFICER)

    def test_of_a_head_that_was_never_signed(self, tmp_path: Path) -> None:
        with pytest.raises(PackError, match="no signed head of 77 events"):
            export(tmp_path, tree_size=77)

    def test_without_the_private_key(self, tmp_path: Path, settings) -> None:
        settings.AUDIT_FOLDER = tmp_path / "elsewhere"
        with pytest.raises(PackError, match=r"The private key .* is missing"):
            evidence_pack_write(filters=AuditFilters(), destination=tmp_path / "pack.zip", requested_by=OFFICER)

    def test_when_it_breaks_off_in_the_middle(self, tmp_path: Path) -> None:
        def breaks(events: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            export(tmp_path, progress=breaks)

    @pytest.mark.database_owner
    def test_of_an_event_that_was_changed(self, tmp_path: Path, log) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE ethics_auditevent DISABLE TRIGGER USER")
            cursor.execute(
                "UPDATE ethics_auditevent SET canonical = canonical || ' ' WHERE id = %s", [log["served 1"].pk]
            )
        with pytest.raises(PackError, match=rf"Event {log['served 1'].event_id} is not what leaf"):
            export(tmp_path)


def test_existing_file_is_kept_unless_forced(log, tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(b"mine")
    with pytest.raises(PackError, match=r"pack\.zip exists"):
        export(tmp_path)
    assert (tmp_path / "pack.zip").read_bytes() == b"mine"
    verified(export(tmp_path, overwrite=True))


def command(*arguments: str) -> str:
    out = StringIO()
    seal_round()
    call_command("export_evidence_pack", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_command_takes_a_clients_name_and_prints_how_to_verify(log, tmp_path: Path) -> None:
    file = tmp_path / "pack.zip"
    out = command(str(file), "--client", "Dispensary One", "--type", "prediction.*")
    assert f"{file}: 3 events of the" in out
    assert f"--key {json.loads(command(str(file), '--force', '--json'))['fingerprint']}" in out


def test_command_can_be_asked_for_all_filters(log, tmp_path: Path) -> None:
    written = json.loads(
        command(
            str(tmp_path / "pack.zip"), "--json", "--no-names", "--community", "two", "--since", "2020-01-01",
            "--until", "2100-01-01", "--subject", "item-2", "--type", "consent.withdrawn", "--actor", "Ann Curator",
            "--request", "request-1",
        )
    )  # fmt: skip
    assert written["events"] == 1
    assert written["sha256"] == sha256((tmp_path / "pack.zip").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--since", "2026-02-01", "--until", "2026-01-01"],
            "--until: The end of the period lies before its beginning",
        ),
        (["--since", "soon"], "--since: Not a date"),
        (["--type", "Consent!"], "--type: An event type reads like"),
        (["--community", "three"], "There is no community 'three'"),
        (["--client", "Nobody"], "There is no client 'Nobody'"),
        (["--client", "a\x00b"], "--client: At most"),
        (["--subject", "item-9"], "No event passes the filters"),
    ],
    ids=str,
)
def test_command_refuses_clearly(log, tmp_path: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        command(str(tmp_path / "pack.zip"), *arguments)
    assert not list(tmp_path.glob("*pack*"))
