"""`benchmark.py peers`: captioner beside BLIP-base and ViT-GPT2, in one run."""

import json
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from benchmarks import peer
from benchmarks.machine import machine_facts, machine_line
from benchmarks.pictures import choose_pictures
from captioner.captioner import Captioner
from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned
from captioner.presets.storage import DEFAULT_PRESET, preset_folder

_PRECISIONS = ("float32", "bfloat16")
_BATCH_SIZES = (1, 8)
_BATCHES = 3  # of a peer, and one before them that warms up
_NAME = "captioner"


@click.command()
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of pictures; by default the samples, each cut at random.",
)
@click.option(
    "--count", default=200, show_default=True, type=click.IntRange(min=32), help="For captioner."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def peers(preset: str, images: Path | None, count: int, as_json: bool) -> None:
    """Compare pictures a second with those of two transformers, at beam width 3.

    Nothing is downloaded: the peers have random weights, which take as long as trained ones, and
    write twelve words each. Each runs alone in its process, in float32 and in bfloat16, one picture
    and eight at a time.
    """
    with plain_errors(), tempfile.TemporaryDirectory() as folder:
        if find_spec("transformers") is None or find_spec("torch") is None:
            raise CaptionerError("the peers need PyTorch: `pip install 'captioner[peers]'`")
        preset = str(preset_folder(preset))
        pictures = choose_pictures(images, count, Path(folder))
        ways = [(p, b) for p in _PRECISIONS for b in _BATCH_SIZES]
        found: dict[str, dict[str, Any]] = {_NAME: _time_captioner(preset, pictures)}
        for name in peer.PEERS:
            runs = {
                f"{precision}, {size} at a time": _time_peer(name, precision, size, pictures)
                for precision, size in tqdm(ways, name, disable=None)
            }
            way = max(runs, key=lambda way: runs[way]["pictures_per_second"])
            found[name] = {"way": way, **runs[way], "runs": runs}
    ours = found[_NAME]["pictures_per_second"]
    for side in found.values():
        side["captioner_is_faster"] = ours / side["pictures_per_second"]
    measured = {"machine": machine_facts(), "beam_width": peer.BEAM_WIDTH, "found": found}
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


def _time_captioner(preset: str, pictures: list[str]) -> dict[str, Any]:
    start = time.perf_counter()
    captioner = Captioner.from_preset(preset)
    built = time.perf_counter()
    size = 32
    captioner.generate(pictures[: size + 1], beam_width=peer.BEAM_WIDTH)  # warms up
    warm = time.perf_counter()
    for result in captioner.stream(pictures, batch_size=size, beam_width=peer.BEAM_WIDTH):
        if isinstance(result, CaptionerError):
            raise result
    seconds = time.perf_counter() - warm
    return {
        "way": f"as it is, {size} at a time",
        "build_s": built - start,
        "seconds": seconds,
        "pictures_per_second": len(pictures) / seconds,
    }


def _time_peer(name: str, precision: str, batch_size: int, pictures: list[str]) -> dict[str, float]:
    chosen = pictures[: (1 + _BATCHES) * batch_size]
    command = [sys.executable, peer.__file__, name, precision, str(batch_size), *chosen]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CaptionerError(f"{name} failed: {done.stderr.strip().splitlines()[-1]}")
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


def _table(measured: dict[str, Any]) -> str:
    found = measured["found"]
    ours = found[_NAME]["pictures_per_second"]
    rows = [(_NAME, found[_NAME]["way"], f"{ours:.2f}", "")]
    for name in peer.PEERS:
        for way, run in found[name]["runs"].items():
            theirs = run["pictures_per_second"]
            rows.append((name, way, f"{theirs:.2f}", f"{ours / theirs:.1f} x"))
    title = (
        f"beam width {measured['beam_width']}",
        "way",
        "pictures a second",
        "captioner is faster",
    )
    note = "The peers have random weights, and write twelve words."
    return "\n\n".join([machine_line(measured["machine"]), aligned(title, rows), note])
