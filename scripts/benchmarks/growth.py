"""`benchmark.py growth`: whether ten times the pictures take ten times as long, and no memory."""

import json
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from benchmarks.machine import machine_facts, machine_line
from benchmarks.pictures import choose_pictures
from benchmarks.process import peak_mb, reset_peak
from captioner.captioner import Captioner
from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned
from captioner.presets.storage import DEFAULT_PRESET, preset_folder

_TIMES = 10


@click.command()
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of pictures; by default the samples, each cut at random.",
)
@click.option("--count", default=1000, show_default=True, type=click.IntRange(min=1))
@click.option("--precision", default="auto", type=click.Choice(["auto", "bfloat16", "float32"]))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def growth(preset: str, images: Path | None, count: int, precision: str, as_json: bool) -> None:
    """Describe --count pictures, then the same ten times over, in one run."""
    with plain_errors(), tempfile.TemporaryDirectory() as folder:
        preset = str(preset_folder(preset))
        pictures = choose_pictures(images, count, Path(folder))
        captioner = Captioner.from_preset(preset, precision)
        _describe(captioner, pictures, 1)  # what is done only once is done before
        once, often = (_describe(captioner, pictures, times) for times in (1, _TIMES))
    measured = {
        "machine": machine_facts(),
        "preset": preset,
        "pictures": [len(pictures), _TIMES * len(pictures)],
        "seconds": [once["seconds"], often["seconds"]],
        "seconds_ratio": often["seconds"] / once["seconds"],
        "peak_mb": [once["peak_mb"], often["peak_mb"]],
    }
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


def _describe(captioner: Captioner, pictures: list[str], times: int) -> dict[str, float]:
    total = times * len(pictures)
    reset_peak()
    start = time.perf_counter()
    results = captioner.stream(islice(cycle(pictures), total))
    for result in tqdm(results, "growth", total, unit=" pictures", disable=None):
        if isinstance(result, CaptionerError):
            raise result
    return {"seconds": time.perf_counter() - start, "peak_mb": peak_mb()}


def _table(measured: dict[str, Any]) -> str:
    (few, many), (once, often) = measured["pictures"], measured["seconds"]
    small, large = measured["peak_mb"]
    rows = [
        ("seconds", f"{once:.1f}", f"{often:.1f}", f"{measured['seconds_ratio']:.2f} x"),
        ("peak memory, MB", f"{small:,.0f}", f"{large:,.0f}", f"{large / small:.2f} x"),
    ]
    table = aligned(("pictures", f"{few:,}", f"{many:,}", ""), rows)
    return f"{machine_line(measured['machine'])}\n\n{table}"
