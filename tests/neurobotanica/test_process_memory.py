"""What a web process keeps of the memory that it has freed."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from neurobotanica.bootstrap import PROJECT_ROOT

PROGRAM = """
import ctypes, sys
from neurobotanica.process_memory import freed_memory_give_back

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))

if "held down" in sys.argv:
    freed_memory_give_back()
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
before = resident()
c.free(c.malloc(24 * 2**20))
blocks = [c.malloc(2**20) for _ in range(64)]
for block in blocks:
    ctypes.memset(block, 1, 2**20)
last = c.malloc(120 * 1024)
for block in blocks:
    c.free(block)
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this C library has no such settings")
@pytest.mark.parametrize(("how", "keeps"), [("as it is", True), ("held down", False)])
def test_blocks_that_are_freed_leave_a_web_process_and_would_stay_in_another(how, keeps):
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], check=True, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60
    )
    kept_mib = float(shown.stdout)
    assert (kept_mib > 48) is keeps
    assert (kept_mib < 16) is not keeps
