"""Free loopback ports."""

import socket


def free_port(*, preferred: int | None = None) -> int:
    """A loopback TCP port that nobody listens on: `preferred` when it is free, so that known URLs stay true.

    Another program may take it before the server does; the server then fails to start and its starter asks again.
    """
    for wanted in (preferred, 0):
        if wanted is None:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free loopback port")
