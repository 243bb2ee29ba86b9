"""What a measurement was made on."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine_facts() -> dict[str, Any]:
    """Name the processor and the software.

    Returns:
        cpu, cores (those that this process may use), amx_bf16 (whether the processor multiplies
        matrices of bfloat16), python, captioner, keras, tensorflow, and commit, None where the
        scripts do not lie in a git repository.
    """
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    fields = dict(
        (part.strip() for part in line.split(":", 1))
        for line in cpuinfo.splitlines()
        if ":" in line
    )
    return {
        "cpu": fields.get("model name", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "amx_bf16": "amx_bf16" in fields.get("flags", "").split(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("captioner", "keras", "tensorflow")},
        "commit": _commit(),
    }


def machine_line(facts: dict[str, Any]) -> str:
    """Write the facts in one line."""
    amx = "AMX bf16" if facts["amx_bf16"] else "no AMX bf16"
    versions = ", ".join(f"{name} {facts[name]}" for name in ("captioner", "keras", "tensorflow"))
    commit = f" ({facts['commit']})" if facts["commit"] else ""
    return f"{facts['cpu']}, {facts['cores']} cores, {amx}; {versions}{commit}"


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
