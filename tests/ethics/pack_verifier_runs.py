"""Runs the verifier of evidence packs as a stranger runs it, on the files of a synthetic log."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ethics.audit import verify
from tests.ethics.evidence_packs import Files, SyntheticLog, private_key, write_zip

LOG_PACK = SyntheticLog()
FILES = LOG_PACK.files()
FIRST_KEY, LAST_KEY, STRANGER = private_key(1), private_key(2), private_key(9)


@dataclass(frozen=True)
class Answer:
    """What the program said."""

    code: int
    text: str


def run(pack: Path | None, *arguments: str, program: Path = Path(verify.__file__)) -> Answer:
    """Run the program in an interpreter with nothing: no site packages, no environment, an empty working folder."""
    cwd = program.parent if pack is None else pack.parent
    command = [sys.executable, "-I", "-S", "-B", str(program), *([str(pack)] if pack else []), *arguments]
    done = subprocess.run(command, env={}, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(done.returncode, " ".join((done.stdout + done.stderr).split()))


def verdict_of(tmp_path: Path, files: Files, *arguments: str) -> Answer:
    return run(write_zip(tmp_path / "pack.zip", files), *arguments)
