"""The number that tells a cached answer whether the catalogue is still the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from correlations.models import GenomicTarget
from correlations.vocabulary import Direction
from ethics.policy import Audience
from ethics.revisions import current_revisions
from genomepath.answers import AnswerFrame
from genomepath.serving import PredictionQuestion, _render
from tests.database_roles import needs_two_roles
from tests.factories import make_catalogue, make_target

TABLES = [
    *("correlations_condition", "correlations_correlation", "correlations_correlationevidence"),
    *("correlations_dosageprofile", "correlations_evidence", "correlations_genomictarget", "correlations_practice"),
    *("correlations_practice_sources", "correlations_practiceindication", "correlations_synergypair"),
    "genomepath_prediction",
]


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def revision() -> int:
    return current_revisions().catalogue


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_every_statement_that_changes_rows_raises_it(table):
    statements = (
        f"UPDATE {table} SET id = id",
        f"DELETE FROM {table} WHERE false",
        f"INSERT INTO {table} SELECT * FROM {table} WHERE false",
    )
    for statement in statements:
        before = revision()
        run(statement)
        assert revision() == before + 1, statement


@pytest.mark.django_db
def test_reading_raises_nothing():
    make_catalogue()
    before = revision()
    list(GenomicTarget.objects.all())
    assert revision() == before


def tables_read_for(question: PredictionQuestion, frame: AnswerFrame) -> Iterator[str]:
    with CaptureQueriesContext(connection) as queries:
        assert _render(question, frame) is not None
    for query in queries.captured_queries:
        yield from re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])


@pytest.mark.django_db
def test_whatever_an_answer_is_rendered_from_raises_a_revision_that_it_is_kept_under():
    catalogue = make_catalogue()
    frame = AnswerFrame(catalogue.version, current_revisions().policy, Audience.RESEARCH, timezone.now())
    asked = (
        PredictionQuestion(Direction.TK_TO_GENOMIC, catalogue.practices[0].slug, 3),
        PredictionQuestion(Direction.GENOMIC_TO_TK, catalogue.targets[0].symbol, 3),
    )
    read = {table for question in asked for table in tables_read_for(question, frame)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgenabled <> 'D'"
            " AND (proname LIKE '%raise_catalogue_revision%' OR proname LIKE '%raise_policy_revision%')"
        )
        raising = {name for (name,) in cursor.fetchall()}
    assert {"correlations_evidence", "ethics_consent", "genomepath_prediction"} <= read
    assert read <= raising


@pytest.mark.django_db
def test_a_change_that_is_rolled_back_leaves_it():
    before = revision()
    with pytest.raises(RuntimeError), transaction.atomic():
        make_target()
        assert revision() > before
        raise RuntimeError
    assert revision() == before


@pytest.mark.django_db
@needs_two_roles
@pytest.mark.parametrize("statement", ["UPDATE {0} SET value = 1", "DELETE FROM {0}", "INSERT INTO {0} VALUES (1, 1)"])
def test_the_application_cannot_set_it(statement):
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        run(statement.format("correlations_cataloguerevision"))


def test_two_who_change_the_catalogue_at_once_do_not_wait_for_each_other_and_both_count(
    committed_database, django_db_blocker
):
    change = "UPDATE correlations_evidence SET id = id WHERE false"
    with django_db_blocker.unblock():
        before = revision()
        with psycopg.connect(committed_database.url) as one, psycopg.connect(committed_database.url) as two:
            for session in (one, two):
                session.execute("SET lock_timeout = '5s'")
                session.execute("SELECT set_config('pghistory.context_metadata', '{\"reason\": \"synthetic\"}', false)")
                session.execute(change)
            two.commit()
            after_the_second = revision()
            one.commit()
        assert before < after_the_second < revision()


@pytest.mark.django_db
def test_a_function_that_runs_as_its_owner_looks_for_temporary_tables_last():
    with connection.cursor() as cursor:
        cursor.execute("SELECT proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace")
        settings = [row[0] for row in cursor.fetchall()]
    assert settings == [["search_path=pg_catalog, public, pg_temp"]]
