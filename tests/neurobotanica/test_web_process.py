"""The web process never loads torch, neither at start-up nor while it serves."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.service_home import PROJECT_ROOT

SERVE = """
import io, sys
from neurobotanica.wsgi import application
assert "torch" not in sys.modules, "start-up"
statuses = []
for path in ("/healthz", "/api/v1/predictions/practices/x/targets/", "/api/schema/", "/api/v1/targets/"):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
               "QUERY_STRING": "", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http",
               "wsgi.version": (1, 0), "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False}
    list(application(environ, lambda status, headers, exc_info=None: statuses.append(status[:3])))
for heavy in ("torch", "transformers", "sentence_transformers", "sklearn", "onnxruntime"):
    assert heavy not in sys.modules, heavy
print(" ".join(statuses))
"""


def test_web_process_serves_without_torch():
    result = subprocess.run(
        [sys.executable, "-c", SERVE],
        check=False,
        cwd=PROJECT_ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.stdout.split() == ["200", "401", "200", "401"], result.stderr
