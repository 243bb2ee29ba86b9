"""Time and memory of whole processes, and of this one."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_MB_IN_KIB = 1024 / 1e6


class Cost(NamedTuple):
    """What a process took.

    Attributes:
        seconds: From its start to its end.
        peak_mb: The most memory that it held at once, in MB.
    """

    seconds: float
    peak_mb: float


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command to its end and measure it.

    Args:
        command: The program and its arguments; its standard output is thrown away.

    Raises:
        subprocess.CalledProcessError: If it fails; `stderr` says why.
    """
    # Linux counts what its parent held to the peak of a new process: start it from a small one.
    small = [sys.executable, "-IS", __file__, *command]
    done = subprocess.run(small, capture_output=True, text=True, check=True)
    return Cost(*json.loads(done.stdout))


def peak_mb() -> float:
    """Return the most memory that this process has held at once since `reset_peak`, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))  # 1234 kB
    return int(line.split()[1]) * _MB_IN_KIB


def reset_peak() -> None:
    """Let `peak_mb` start again from what is held now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # 5: see man 5 proc


def _measure(command: Sequence[str]) -> int:
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    print(json.dumps([seconds, usage.ru_maxrss * _MB_IN_KIB]))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_measure(sys.argv[1:]))
