"""The settings of the embedded PostgreSQL server, beside those that initdb writes."""

from pathlib import Path


def server_settings(*, socket_folder: Path | None, port: int, durable: bool) -> str:
    """The text of server.conf: a private socket in `socket_folder`, or a loopback port when that is None.

    Every connection needs a password (scram-sha-256 is in pg_hba.conf since initdb). Statements and row values are
    kept out of the log, since a failing INSERT would otherwise copy knowledge that must stay in the database.
    """
    switch = "on" if durable else "off"
    lines = [
        f"listen_addresses = '{'' if socket_folder is not None else '127.0.0.1'}'",
        f"port = {port}",
        f"unix_socket_directories = {_quoted_list(socket_folder)}",
        "unix_socket_permissions = 0700",
        f"fsync = {switch}",
        f"synchronous_commit = {switch}",
        f"full_page_writes = {switch}",
        "timezone = 'UTC'",
        "log_timezone = 'UTC'",
        "log_min_error_statement = panic",
        "log_error_verbosity = terse",
        "log_line_prefix = '%m [%p] '",
        "max_connections = 200",
    ]
    return "\n".join(lines) + "\n"


def _quoted_list(folder: Path | None) -> str:
    """A folder as a list of one: quoted twice, once as a list element and once as a setting's value."""
    if folder is None:
        return "''"
    element = '"' + str(folder).replace('"', '""') + '"'
    return "'" + element.replace("\\", "\\\\").replace("'", "''") + "'"
