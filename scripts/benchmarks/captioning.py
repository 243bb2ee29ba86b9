"""`benchmark.py caption`: time and memory of one picture and of many, by precision and engine."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from benchmarks.machine import machine_facts, machine_line
from benchmarks.pictures import SAMPLES, choose_pictures
from benchmarks.process import cost_of
from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned
from captioner.presets.storage import DEFAULT_PRESET, preset_folder

_COMMAND = "from captioner.cli.caption import main; main(prog_name='caption')"
_SIDES = {
    "bfloat16": ("bfloat16", "openvino"),
    "float32": ("float32", "openvino"),
    "Keras": ("bfloat16", "keras"),
}


@click.command()
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option(
    "--runs",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="Processes that describe one picture each; their median is given.",
)
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of pictures; by default the samples, each cut at random.",
)
@click.option("--count", default=1000, show_default=True, type=click.IntRange(min=1))
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def caption(
    preset: str, runs: int, images: Path | None, count: int, batch_size: int, as_json: bool
) -> None:
    """Time `caption` on one picture, and a Captioner on --count of them.

    In bfloat16 and float32 in OpenVINO, and in bfloat16 in Keras.
    """
    with plain_errors(), tempfile.TemporaryDirectory() as folder:
        preset = str(preset_folder(preset))
        pictures = choose_pictures(images, count, Path(folder))
        one = _measure_one_picture(preset, runs)
        from benchmarks.throughput import BEAM_WIDTH, measure_throughput

        many = {
            side: measure_throughput(preset, precision, engine, pictures, batch_size)
            for side, (precision, engine) in _SIDES.items()
        }
    measured = {
        "machine": machine_facts(),
        "preset": preset,
        "one_picture": one,
        "pictures": count,
        "batch_size": batch_size,
        "beam_width": BEAM_WIDTH,
        **many,
        "bfloat16_speedup": many["float32"]["seconds"] / many["bfloat16"]["seconds"],
        "openvino_speedup": many["Keras"]["seconds"] / many["bfloat16"]["seconds"],
    }
    click.echo(json.dumps(measured, indent=2) if as_json else _tables(measured))


def _measure_one_picture(preset: str, runs: int) -> dict[str, Any]:
    command = [sys.executable, "-c", _COMMAND, "--preset", preset, str(SAMPLES / "dog.jpg")]
    try:
        costs = [cost_of(command) for _ in range(runs)]
    except subprocess.CalledProcessError as error:
        raise CaptionerError(f"caption failed: {error.stderr.strip()}") from error
    return {
        "runs": runs,
        "seconds": statistics.median(cost.seconds for cost in costs),
        "peak_mb": statistics.median(cost.peak_mb for cost in costs),
    }


def _tables(measured: Mapping[str, Any]) -> str:
    one, sides = measured["one_picture"], [measured[name] for name in _SIDES]
    rows = [("seconds", f"{one['seconds']:.2f}"), ("peak memory, MB", f"{one['peak_mb']:,.0f}")]
    first = aligned(("caption PICTURE", f"median of {one['runs']}"), rows)
    rows = [
        ("pictures a second", *(f"{side['pictures_per_second']:.1f}" for side in sides)),
        (
            "bfloat16 is faster",
            "",
            f"{measured['bfloat16_speedup']:.2f} x",
            f"{measured['openvino_speedup']:.2f} x",
        ),
    ]
    for name, key in (("decode", "decode_s"), ("encode", "encode_s"), ("search", "search_s")):
        rows.append((f"{name} alone, s", *(f"{side['stages'][key]:.2f}" for side in sides)))
    rows.append(("network at work", *(f"{100 * side['network_busy']:.0f} %" for side in sides)))
    growth = [f"{side['memory_growth_mb']:,.0f}" for side in sides]
    rows.append(("growth of memory, MB", *growth))
    title = (
        f"{measured['pictures']:,} pictures, batches of {measured['batch_size']}, "
        f"beam width {measured['beam_width']}"
    )
    second = aligned((title, *_SIDES), rows)
    rows = [
        (
            width,
            *(
                f"{side['beam_widths'][width][key]:.2f} x"
                for key in ("search_over_greedy", "total_over_greedy")
                for side in sides
            ),
        )
        for width in sides[0]["beam_widths"]
    ]
    heading = [f"{what}, {side}" for what in ("search", "in all") for side in _SIDES]
    third = aligned(("beam width, seconds over greedy's", *heading), rows)
    return "\n\n".join([machine_line(measured["machine"]), first, second, third])
