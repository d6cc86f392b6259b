#!/usr/bin/env python
"""Django's command line. Starts the embedded PostgreSQL and Valkey first where no other ones are configured."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
    from neurobotanica.bootstrap import OWNER_COMMANDS, act_as_owner, answer_requests, prepare_environment

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command in OWNER_COMMANDS:
        act_as_owner()
    if command == "runserver":
        answer_requests()
    if command not in {"services", "help", "--help", "-h", "--version", "version"} and "--help" not in sys.argv:
        prepare_environment()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
