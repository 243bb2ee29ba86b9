"""`benchmark.py cluster`: `captioner batch` on a local cluster beside `caption`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import psutil

from benchmarks.machine import machine_facts, machine_line
from benchmarks.pictures import choose_pictures
from benchmarks.usage import Usage
from captioner.cli.endings import plain_errors
from captioner.cluster.object_store import Folder
from captioner.cluster.partitions import Partitions
from captioner.evaluation.score_table import aligned

_OBJECT_STORE = 200_000_000  # bytes
_COMMAND = "from captioner.cli{} import main; main(prog_name='{}')"
_WORKER = "ray::MapWorker"


@click.command()
@click.option("--preset", default="vgg16_top_down", show_default=True, help="Name or folder.")
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of pictures; by default the samples, each cut at random.",
)
@click.option("--count", default=5000, show_default=True, type=click.IntRange(min=1))
@click.option("--nodes", default=2, show_default=True, type=click.IntRange(min=2))
@click.option("--workers", multiple=True, type=int, default=(2,), show_default=True)
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--unit", default=64, show_default=True, type=click.IntRange(min=1))
@click.option("--harm", is_flag=True, help="Once more, with a killed actor and a killed node.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cluster(
    preset: str,
    images: Path | None,
    count: int,
    nodes: int,
    workers: tuple[int, ...],
    rounds: int,
    unit: int,
    harm: bool,
    as_json: bool,
) -> None:
    """Describe --count pictures by `caption` and by `captioner batch`, in turns.

    The cluster is local, of --nodes nodes with one CPU each. Time is from the start of a command to
    its end; the cluster runs already. On a shared machine, look at the ratios of one round, and at
    processor time. All rows are compared with those of `caption`.
    """
    rows: list[dict[str, Any]] = []
    with plain_errors(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = choose_pictures(images, count, folder)
        listed = folder / "pictures.txt"
        listed.write_text("".join(f"{path}\n" for path in found), encoding="utf-8")
        harms = [(number, False) for number in workers]
        for turn in range(rounds + harm):
            if turn == rounds:
                harms = [(nodes, True)]
            plain = folder / f"{turn}.jsonl"
            if turn < rounds:
                row, _ = _measured("caption", count, _plain(found, plain, preset))
                rows.append(row | {"round": turn})
                _tell(row)
                said = {each["path"]: each for each in map(json.loads, plain.open())}
            for number, harmed in harms:
                out = folder / f"{turn}-{number}-{harmed}"
                with _local_cluster(nodes) as local:
                    command = [sys.executable, "-c", _COMMAND.format("", "captioner"), "batch"]
                    command += [str(listed), "--out", str(out), "--address", local.address]
                    command += ["--workers", str(number), "--unit", str(unit), "--preset", preset]
                    way = f"batch, {number} workers" + (", harmed" if harmed else "")
                    harmful = _Harm(local, out, count // unit) if harmed else None
                    row, usage = _measured(way, count, command, harmful)
                row |= _compare(out, said) | {"round": turn}
                own = {n: v for n, v in usage.peak.items() if usage.names[n].startswith(_WORKER)}
                row |= {"peak_mib_of_workers": sorted(map(round, own.values()))}
                row |= {"steady_pictures_a_second": _steady(out)}
                used = sum(usage.of_process[n] for n in own)
                row |= {"processor_seconds_of_workers_a_picture": used / count}
                rows.append(row)
                _tell(row)
    measured = {"machine": machine_facts(), "preset": preset, "pictures": count, "rows": rows}
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


class _Harm:
    """Kills a worker after a fifth of the pictures, and a node after two fifths."""

    def __init__(self, local: Any, out: Path, parts: int) -> None:
        self._local, self._out, self._parts = local, out, parts
        self._done = 0

    def look(self) -> None:
        """Do what is due."""
        written = len(list(self._out.glob("part-*"))) if self._out.exists() else 0
        if self._done == 0 and written >= self._parts // 5:
            own = psutil.Process().children(recursive=True)
            victim = next(p for p in own if p.name().startswith(_WORKER))
            os.kill(victim.pid, signal.SIGKILL)
            self._done = 1
        elif self._done == 1 and written >= 2 * self._parts // 5:
            self._local.remove_node(self._local.last, allow_graceful=False)
            self._done = 2


@contextmanager
def _local_cluster(nodes: int) -> Iterator[Any]:
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # all on 127.0.0.1
    # Ray's workers have a niceness of 15: other programs of a shared machine would come first, but
    # after `caption`.
    os.environ.setdefault("RAY_worker_niceness", "0")
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": _OBJECT_STORE}
    local = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    try:
        for _ in range(nodes - 1):
            local.last = local.add_node(**options)
        local.wait_for_nodes()
        yield local
    finally:
        with suppress(Exception):
            local.shutdown()


def _plain(found: list[str], out: Path, preset: str) -> list[str]:
    code = _COMMAND.format(".caption", "caption")
    command = [sys.executable, "-c", code, *found, "--out", str(out), "--preset", preset]
    return [*command, "--quiet"]


def _measured(
    way: str, count: int, command: list[str], harm: _Harm | None = None
) -> tuple[dict[str, Any], Usage]:
    with Usage() as usage, tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        while process.poll() is None:
            if harm is not None:
                harm.look()
            time.sleep(0.2)
        said.seek(0)
        if process.returncode:
            raise click.ClickException(f"{way} ended with {process.returncode}: {said.read()}")
    row = {
        "way": way,
        "seconds": usage.seconds,
        "pictures_a_second": count / usage.seconds,
        "processor_seconds_a_picture": usage.processor / count,
        "cores_of_others": usage.others,
        "load": usage.load,
    }
    return row, usage


def _compare(out: Path, said: dict[str, Any]) -> dict[str, int]:
    """Count the rows that are missing, there twice, or other than those of `caption`."""
    partitions = Partitions(Folder(str(out)), "parquet")
    rows = [row for name in partitions.names() for row in partitions.read(name)]
    times = Counter(row["path"] for row in rows)
    return {
        "missing": len(said.keys() - times.keys()),
        "twice": sum(number > 1 for number in times.values()),
        "errors": sum("error" in row for row in rows),
        "different": sum(r.get("caption") != said[r["path"]].get("caption") for r in rows),
    }


def _steady(out: Path) -> float:
    """Return the pictures a second between the first and the last partition."""
    partitions = Partitions(Folder(str(out)), "parquet")
    written = sorted((out / name).stat().st_mtime for name in partitions.names())
    counts = [sum(1 for _ in partitions.read(name)) for name in partitions.names()]
    return sum(counts) / len(counts) * (len(counts) - 1) / (written[-1] - written[0] or 1e-9)


def _tell(row: dict[str, Any]) -> None:
    click.echo(json.dumps(row), err=True)


def _table(measured: dict[str, Any]) -> str:
    heading = (
        "", "pictures a second", "ms of a core", "cores of others", "missing, twice, different",
        "MiB of a worker",
    )  # fmt: skip
    cells = [
        (
            row["way"],
            f"{row['pictures_a_second']:.2f}",
            f"{1000 * row['processor_seconds_a_picture']:.1f}",
            f"{row['cores_of_others']:.2f}",
            f"{row['missing']}, {row['twice']}, {row['different']}" if "missing" in row else "",
            f"{max(row['peak_mib_of_workers'])}" if "peak_mib_of_workers" in row else "",
        )
        for row in measured["rows"]
    ]
    return f"{machine_line(measured['machine'])}\n\n{aligned(heading, cells)}"
