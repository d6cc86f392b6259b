"""The community statement counts every use from the audit log, for stewards and officers alone."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from correlations.models import Practice
from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER
from ethics.audit import record
from ethics.audit.archive import audit_range_archive
from ethics.audit.sealing import seal_round
from ethics.audit.verification import audit_log_verify
from ethics.models import AuditHead
from ethics.policy import Audience, Purpose
from ethics.stewardship import item_record_objection
from genomepath.community_statement import community_statement, statement_csv
from genomepath.export_records import export_record_add
from genomepath.models import TrainingRun
from genomepath.statement_period import StatementPeriod
from tests.admin_people import make_person
from tests.factories import make_item, make_model_version, make_practice, make_target, publish

pytestmark = pytest.mark.django_db

DATA = "d" * 64
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def practice() -> Practice:
    practice, target = make_practice(), make_target()
    publish(make_model_version(), [practice, make_practice()], [target])
    return practice


def ask(client, practice: Practice, times: int = 1) -> None:
    for _ in range(times):
        client.http.get(f"/api/v1/predictions/practices/{practice.slug}/targets/")


def statement_of(practice: Practice) -> dict:
    return community_statement(practice.item.community, *ALWAYS)


def test_predictions_are_counted_for_each_client(practice, make_api_client):
    research, shop = make_api_client(Audience.RESEARCH, "University"), make_api_client(Audience.COMMERCIAL, "Shop")
    ask(research, practice, 3)
    ask(shop, practice)

    rows = {row["client"]: row for row in statement_of(practice)["predictions"]}

    assert {name: (row["audience"], row["times"], row["item_uses"]) for name, row in rows.items()} == {
        "University": ("research", 3, 3),
        "Shop": ("commercial", 1, 1),
    }


def test_another_communitys_uses_are_not_counted(practice, make_api_client):
    ask(make_api_client(), Practice.objects.exclude(pk=practice.pk).get())

    assert statement_of(practice)["predictions"] == []


def test_item_uses_count_the_communitys_items_in_one_answer(practice, make_api_client):
    second = make_practice(item=make_item(community=practice.item.community))
    target = make_target()
    publish(make_model_version(state="candidate"), [second], [target])
    record(
        "prediction.served",
        subjects=[practice.item.public_id, second.item.public_id, make_item().public_id],
        communities=[practice.item.community.slug],
        purpose=Purpose.PREDICTION,
        model_sha256="a" * 64,
        details={"direction": "genomic_to_tk", "count": 3},
    )

    (row,) = statement_of(practice)["predictions"]

    assert (row["times"], row["item_uses"], row["client"]) == (1, 2, "platform (system)")


def test_withheld_requests_are_counted_without_naming_the_item(practice, make_api_client):
    item_record_objection(item=practice.item, reference="letter 1", reason="the community objects")
    ask(make_api_client(organisation="Shop"), practice, 2)

    statement = statement_of(practice)

    assert [(row["client"], row["times"]) for row in statement["withheld_requests"]] == [("Shop", 2)]
    assert str(practice.item.public_id) not in json.dumps(statement)
    assert practice.title not in json.dumps(statement)


def test_exports_and_trainings_are_listed(practice):
    community = practice.item.community.slug
    export_record_add(
        what="training set",
        recipient="Synthetic university",
        data_sha256=DATA,
        item_public_ids=[practice.item.public_id, make_item().public_id],
        audiences=[Audience.RESEARCH],
    )
    record(
        "snapshot.exported",
        subjects=[DATA],
        communities=[community],
        purpose=Purpose.TRAINING,
        details={"data_sha256": DATA, "practices": 1, "correlations": 1, "include_drafts": False, "excluded": []},
    )
    record("training.completed", subjects=["run-1"], details={"kind": "training", "data_sha256": DATA})
    record("training.completed", subjects=["run-2"], details={"kind": "training", "data_sha256": "e" * 64})

    statement = statement_of(practice)

    assert [(row["recipient"], row["items"]) for row in statement["exports"]] == [("Synthetic university", 1)]
    assert [row["run"] for row in statement["trainings"]] == ["run-1"]
    assert (statement["totals"]["exports"], statement["totals"]["trainings"]) == (1, 1)


@pytest.fixture
def with_snapshot(practice: Practice) -> Practice:
    """A practice whose community's knowledge is in a snapshot."""
    record(
        "snapshot.exported",
        subjects=[DATA],
        communities=[practice.item.community.slug],
        purpose=Purpose.TRAINING,
        details={"data_sha256": DATA, "practices": 1, "correlations": 1, "include_drafts": False, "excluded": []},
    )
    return practice


def test_an_evaluation_is_counted_by_the_data_of_the_model_that_it_judged(with_snapshot):
    for name, data in (("a", DATA), ("b", "e" * 64)):
        version = make_model_version(sha256=name * 64, data_sha256=data, state="candidate")
        run = TrainingRun.objects.create(kind="evaluation", model_version=version, requested_by="engineer")
        record("training.completed", subjects=[run.public_id], details={"kind": "evaluation", "data_sha256": ""})

    statement = statement_of(with_snapshot)

    judged = TrainingRun.objects.get(model_version__data_sha256=DATA)
    assert [(row["run"], row["data_sha256"]) for row in statement["evaluations"]] == [(str(judged.public_id), DATA)]
    assert statement["totals"]["evaluations"] == 1
    assert f"evaluations,,,1,,{judged.public_id},{DATA}," in statement_csv(statement)


def test_a_search_for_hyperparameters_is_counted_if_any_point_of_it_was_trained(with_snapshot):
    for name, data, failed in (("study-1", DATA, 1), ("study-2", DATA, 2), ("study-3", "e" * 64, 0)):
        record("tuning.completed", subjects=[name], details={"data_sha256": data, "points": 2, "failed": failed})

    statement = statement_of(with_snapshot)

    assert [row["run"] for row in statement["searches"]] == ["study-1"]
    assert statement["totals"]["searches"] == 1


def test_a_use_outside_the_period_is_not_counted(practice, make_api_client):
    ask(make_api_client(), practice)
    now = timezone.now()

    assert community_statement(practice.item.community, ALWAYS[0], now)["totals"]["predictions"] == 1
    assert community_statement(practice.item.community, now, ALWAYS[1])["totals"]["predictions"] == 0


def test_both_days_belong_to_the_period():
    period = StatementPeriod.parse("2026-01-01", "2026-01-31")

    assert period.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert period.end == datetime(2026, 2, 1, tzinfo=UTC)


def test_a_name_that_looks_like_a_formula_stays_text_in_a_spreadsheet(practice, make_api_client):
    ask(make_api_client(organisation="=HYPERLINK(1)"), practice)

    (row,) = csv.DictReader(io.StringIO(statement_csv(statement_of(practice))))

    assert (row["use"], row["client"], row["times"]) == ("predictions", "'=HYPERLINK(1)", "1")


def test_the_command_writes_json_and_csv(practice, make_api_client, tmp_path):
    ask(make_api_client(organisation="Shop"), practice)
    today = f"{timezone.now():%Y-%m-%d}"
    output = StringIO()
    arguments = ["--from", today, "--to", today]
    arguments += ["--json", str(tmp_path / "s.json"), "--csv", str(tmp_path / "s.csv")]
    call_command("community_statement", practice.item.community.slug, *arguments, stdout=output)

    assert json.loads((tmp_path / "s.json").read_text())["predictions"][0]["client"] == "Shop"
    assert (tmp_path / "s.csv").read_text().splitlines()[1].startswith("predictions,Shop,")
    assert "Predictions: 1" in output.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such", "--from", "2026-01-01", "--to", "2026-01-02"], "no such community"),
        (["any", "--from", "2026-01-02", "--to", "2026-01-01"], "period is not valid"),
        (["any", "--from", "yesterday", "--to", "2026-01-01"], "period is not valid"),
        (["any", "--from", "2026-01-01", "--to", "9999-12-31"], "period is not valid|no such community"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("community_statement", *arguments)


@pytest.mark.parametrize("role", [COMPLIANCE_OFFICER, COMMUNITY_STEWARD])
def test_stewards_and_officers_read_and_download_it(role, practice, make_api_client, client):
    ask(make_api_client(organisation="Shop"), practice)
    client.force_login(make_person(role))
    address = f"/compliance/statements/{practice.item.community.slug}/"

    assert practice.item.community.name in client.get("/compliance/statements/").content.decode()
    assert "Shop" in client.get(address).content.decode()
    assert client.get(address, {"format": "json"}).json()["totals"]["predictions"] == 1
    assert b"predictions,Shop," in client.get(address, {"format": "csv"}).content
    assert client.get(address, {"from": "<script>", "to": "x"}).status_code == 422


@pytest.mark.database_owner
def test_events_in_the_archive_are_said_to_be_missing_where_they_may_belong_to_the_period(
    practice, make_api_client, client
):
    ask(make_api_client(organisation="Shop"), practice)
    seal_round()
    audit_log_verify()
    moved = audit_range_archive(until_size=AuditHead.objects.get().tree_size)
    community = practice.item.community

    missing = statement_of(practice)["not_counted"]
    later = community_statement(community, timezone.now(), ALWAYS[1])

    assert missing["archived_events"] == moved.end_index
    assert later["not_counted"] is None
    assert f'"archived, not counted",,,{moved.end_index},' in statement_csv(statement_of(practice))
    client.force_login(make_person(COMPLIANCE_OFFICER))
    page = client.get(f"/compliance/statements/{community.slug}/").content.decode()
    assert f"This statement is not complete: {moved.end_index} events" in page


@pytest.mark.parametrize("role", [CURATOR, ML_ENGINEER])
def test_for_everybody_else_there_is_no_such_page(role, practice, client):
    address = f"/compliance/statements/{practice.item.community.slug}/"
    assert client.get(address).status_code == 302
    client.force_login(make_person(role))

    assert client.get(address).status_code == client.get("/compliance/statements/").status_code == 404
