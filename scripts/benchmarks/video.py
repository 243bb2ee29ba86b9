"""`benchmark.py video`: how fast films are described, and what the network waits for."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from benchmarks.machine import machine_facts, machine_line
from benchmarks.pictures import SAMPLES
from benchmarks.process import cost_of
from benchmarks.timed_engine import TimedEngine
from captioner.captioner import Captioner
from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned
from captioner.media.clip import Clip
from captioner.media.files import VIDEO_SUFFIXES, find_media
from captioner.media.sources import read_clips
from captioner.presets.storage import DEFAULT_PRESET, preset_folder

_COMMAND = "from captioner.cli.caption import main; main(prog_name='caption')"
_FILM = SAMPLES / "shepherd_and_cat.mp4"


def measure_films(captioner: Captioner, films: Sequence[str], batch_size: int) -> dict[str, Any]:
    """Describe films shot by shot, twice: decoded ahead, as always; and each first decoded.

    Args:
        captioner: Its engine is replaced by a `TimedEngine`.
        films: Paths.
        batch_size: Frames that go through the network together.

    Returns:
        shots, frames, seconds, frames_per_second, network_busy (share of the seconds), and of the
        second time decode_s, describe_s and overlap_gain, its seconds over those of the first.

    Raises:
        CaptionerError: If a film cannot be read to its end.
    """
    captioner.writer.engine = engine = TimedEngine(captioner.writer.engine)

    def describe(sources: Sequence[str | Clip]) -> tuple[int, int]:
        shots = frames = 0
        for result in captioner.describe(sources, batch_size=batch_size):
            if isinstance(result.caption, CaptionerError):
                raise result.caption
            shots += 1
            frames += result.frames
        return shots, frames

    describe(films[:1])  # What is done only once, such as planning the memory, is done before.
    engine.seconds = 0.0
    start = time.perf_counter()
    shots, frames = describe(films)
    seconds = time.perf_counter() - start
    busy = engine.seconds / seconds

    decode_s = describe_s = 0.0
    for film in tqdm(films, "one after the other", unit=" films", disable=None):
        start = time.perf_counter()
        clips = list(read_clips(film, captioner.image_size))
        decoded = time.perf_counter()
        describe(clips)
        decode_s += decoded - start
        describe_s += time.perf_counter() - decoded
    return {
        "shots": shots,
        "frames": frames,
        "seconds": seconds,
        "frames_per_second": frames / seconds,
        "network_busy": busy,
        "decode_s": decode_s,
        "describe_s": describe_s,
        "overlap_gain": (decode_s + describe_s) / seconds,
    }


def choose_films(folder: Path | None, count: int, made: Path) -> list[str]:
    """Return the films of a folder, or copies of the sample film."""
    if folder is None:
        return [shutil.copy(_FILM, made / f"{number}.mp4") for number in range(count)]
    found = find_media([folder], recursive=True)
    films = [path for path in found if path.lower().endswith(VIDEO_SUFFIXES)]
    if not films:
        raise CaptionerError(f"{folder} holds no films: give another folder")
    return films


@click.command()
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option(
    "--films",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of films; by default one with --count copies of the sample.",
)
@click.option("--count", default=12, show_default=True, type=click.IntRange(min=1))
@click.option("--precision", default="auto", type=click.Choice(["auto", "bfloat16", "float32"]))
@click.option("--batch-size", default=16, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def video(
    preset: str, films: Path | None, count: int, precision: str, batch_size: int, as_json: bool
) -> None:
    """Time `caption` on a folder of films, and what the network waits for."""
    with plain_errors(), tempfile.TemporaryDirectory() as folder:
        preset = str(preset_folder(preset))
        chosen = choose_films(films, count, Path(folder))
        options = ["--preset", preset, "--precision", precision, "--batch-size", str(batch_size)]
        command = [sys.executable, "-c", _COMMAND, *options, *chosen]
        try:
            cost = cost_of(command)
        except subprocess.CalledProcessError as error:
            raise CaptionerError(f"caption failed: {error.stderr.strip()}") from error
        measured = measure_films(Captioner.from_preset(preset, precision), chosen, batch_size)
    process = {
        "seconds": cost.seconds,
        "frames_per_second": measured["frames"] / cost.seconds,
        "peak_mb": cost.peak_mb,
    }
    found = {
        "machine": machine_facts(),
        "preset": preset,
        "precision": precision,
        "films": len(chosen),
        "process": process,
        **measured,
    }
    click.echo(json.dumps(found, indent=2) if as_json else _table(found))


def _table(found: Mapping[str, Any]) -> str:
    process = found["process"]
    rows = [
        ("`caption`: seconds, from start to end", f"{process['seconds']:.1f}"),
        ("`caption`: sampled frames a second", f"{process['frames_per_second']:.1f}"),
        ("`caption`: peak memory, MB", f"{process['peak_mb']:,.0f}"),
        ("loaded before: seconds", f"{found['seconds']:.1f}"),
        ("loaded before: sampled frames a second", f"{found['frames_per_second']:.1f}"),
        ("network at work, of these seconds", f"{100 * found['network_busy']:.0f} %"),
        ("not decoded ahead: seconds of decoding", f"{found['decode_s']:.1f}"),
        ("not decoded ahead: seconds of describing", f"{found['describe_s']:.1f}"),
        ("decoding ahead is faster", f"{found['overlap_gain']:.2f} x"),
    ]
    title = (
        f"{found['films']} films, {found['shots']} shots, {found['frames']} frames, "
        f"{found['precision']}"
    )
    return f"{machine_line(found['machine'])}\n\n{aligned((title, ''), rows)}"
