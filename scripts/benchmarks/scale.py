"""`benchmark.py scale`: what a worker of a batch costs beside plain `caption`."""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks.machine import machine_facts, machine_line
from benchmarks.pictures import choose_pictures
from captioner.captioner import Captioner
from captioner.cli.endings import plain_errors
from captioner.cluster.listing import list_items
from captioner.cluster.pipeline import Scale, run_batch
from captioner.cluster.plan import make_units
from captioner.cluster.worker import Job, Worker
from captioner.evaluation.score_table import aligned
from captioner.presets.storage import DEFAULT_PRESET, preset_folder, read_preset
from captioner.reports.run_record import Settings

_UNIT = 32


@click.command()
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of pictures; by default the samples, each cut at random.",
)
@click.option("--count", default=96, show_default=True, type=click.IntRange(min=1))
@click.option("--workers", multiple=True, type=int, help="Ray with so many; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def scale(
    preset: str, images: Path | None, count: int, workers: tuple[int, ...], as_json: bool
) -> None:
    """Describe --count pictures plainly, by a worker without Ray, and by Ray with --workers.

    Processor time tells the cost also where other programs take part of the machine. Ray's time is
    from the start of Ray to its end, the start of its processes included.
    """
    with plain_errors(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = choose_pictures(images, count, folder)
        loaded, at = read_preset(preset_folder(preset)), preset_folder(preset)
        items = list(list_items(found))
        job = Job("", "parquet", "benchmark", loaded, options={"every": None, "batch_size": 16})
        settings = Settings.of_preset(preset, at, {})
        captioner = Captioner(loaded)
        worker = Worker(replace(job, out=str(folder / "worker")))
        worker.__dict__["_captioner"] = captioner  # one network for both: the difference is ours
        list(captioner.describe(found[:16]))  # what is done only once is done before

        def by_worker() -> None:
            for unit in make_units(items, _UNIT):
                worker.do(unit)

        def plainly() -> None:
            for first in range(0, len(found), _UNIT):
                list(captioner.describe(found[first : first + _UNIT]))

        rows = [
            {"way": "caption", **_measure(plainly, count)},
            {"way": "a worker, without Ray", **_measure(by_worker, count)},
        ]
        for number in workers:
            out = replace(job, out=str(folder / f"ray-{number}"))
            spread = Scale(workers=number, unit=_UNIT, cpus=max(number, 2))

            def by_ray(out: Job = out, spread: Scale = spread) -> None:
                run_batch(items, out, settings, spread)

            rows.append({"way": f"Ray, {number} workers", **_measure(by_ray, count)})
    measured = {"machine": machine_facts(), "preset": preset, "pictures": count, "rows": rows}
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


def _measure(action: Callable[[], object], count: int) -> dict[str, float]:
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return {
        "pictures_a_second": count / (time.perf_counter() - wall),
        "processor_seconds_a_picture": (time.process_time() - processor) / count,
    }


def _table(measured: dict[str, Any]) -> str:
    rows = [
        (
            row["way"],
            f"{row['pictures_a_second']:.2f}",
            f"{row['processor_seconds_a_picture']:.4f}" if "Ray," not in row["way"] else "",
        )
        for row in measured["rows"]
    ]
    heading = ("", "pictures a second", "processor seconds a picture")
    return f"{machine_line(measured['machine'])}\n\n{aligned(heading, rows)}"
