"""Gives the application its own role in a home that was made before it had one."""

import secrets

from neurobotanica.embedded.errors import EmbeddedServiceError
from neurobotanica.embedded.home import ServicesHome, with_app_password
from neurobotanica.embedded.postgres import APPLICATION, APPLICATION_ATTRIBUTES, PostgresServer


def add_app_role(home: ServicesHome, port: int) -> ServicesHome:
    """Make the role in the running server of `home` and note its password. The caller holds the home's lock.

    A start that is killed in between leaves a role whose password nobody knows; the next one gives it another.

    Raises:
        EmbeddedServiceError: the server refuses the superuser.
    """
    # Here, so that all else of this package works in an environment that misses it, and can say what is missing.
    import psycopg
    from psycopg import sql

    password = secrets.token_urlsafe(32)
    try:
        with psycopg.connect(PostgresServer(home).superuser_url(port), connect_timeout=10) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION]).fetchone()
            statement = sql.SQL("{} ROLE {} {} PASSWORD {}").format(
                sql.SQL("ALTER" if known else "CREATE"),
                sql.Identifier(APPLICATION),
                sql.SQL(APPLICATION_ATTRIBUTES),
                sql.Literal(password),
            )
            connection.execute(statement)
    except psycopg.Error as error:
        raise EmbeddedServiceError(
            f"the database of {home.folder} could not be given the application's role: {error}"
        ) from error
    return with_app_password(home, password)
