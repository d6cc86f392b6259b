"""What ``migrate`` and ``database_roles`` grant, in databases of their own."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from neurobotanica.database_roles import grants_apply, may_change_the_log
from tests.database_roles import as_owner, needs_two_roles, one, run

pytestmark = needs_two_roles


def test_a_new_grant_takes_back_a_right_too_many_and_repeats_itself_without_harm(
    committed_database, django_db_blocker
) -> None:
    role = settings.DATABASE_APP_ROLE
    with django_db_blocker.unblock():
        with as_owner():
            run("CREATE TABLE of_no_model (id int)")
            run(f"GRANT UPDATE ON ethics_auditevent TO {role}")
            run("GRANT DELETE ON ethics_auditevent TO PUBLIC")
            for _ in range(2):
                grants_apply(connection, role)
        unbound = may_change_the_log(connection)
        seen = one("SELECT has_table_privilege('of_no_model', 'SELECT')")

    assert (unbound, seen) == (False, False)


def test_no_grant_is_given_to_a_role_that_it_could_not_bind(committed_database, django_db_blocker) -> None:
    with django_db_blocker.unblock(), as_owner():
        with pytest.raises(ImproperlyConfigured, match=r"no role 'nobody_here'.*database_roles"):
            grants_apply(connection, "nobody_here")
        with pytest.raises(ImproperlyConfigured, match="may do more than the application should"):
            grants_apply(connection, str(one("SELECT current_user")))
