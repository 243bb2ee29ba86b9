"""The memory that some code takes, for the tests of this folder."""

import subprocess
import sys
from textwrap import dedent

import pytest

_REPORT = """
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(int(peak) // 1024)
"""


def run_measured(code: str, *arguments: object, timeout: float = 120) -> tuple[str, str, int]:
    """Runs code in a process of its own.

    Returns:
        What it printed on its standard output and error, and its peak of memory in MiB.
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("the peak of memory is read from /proc")
    command = [sys.executable, "-c", dedent(code) + _REPORT, *map(str, arguments)]
    # getrusage would give the peak of the test process, which a child inherits.
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    *printed, peak = done.stdout.splitlines()
    return "\n".join(printed), done.stderr, int(peak)
