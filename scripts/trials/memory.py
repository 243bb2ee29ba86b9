"""Many images again and again in one process: memory and open files stay what they are."""

import gc
import os
import sys
import tempfile
from pathlib import Path

import click

from captioner.captioner import Captioner
from trials.bad_clips import film
from trials.bad_images import image_cases, picture


def measure_rounds(
    captioner: Captioner, sources: list[str], times: int, **options: object
) -> list[tuple[int, int]]:
    """Describe the same sources several times.

    Args:
        captioner: Describes them.
        sources: Files; broken ones, too.
        times: How often.
        options: Those of `Captioner.stream`.

    Returns:
        After each time the resident memory in KiB, and the number of open files.
    """
    found = []
    for _ in range(times):
        count = sum(1 for _ in captioner.stream(sources, **options))
        assert count >= len(sources)
        gc.collect()
        found.append((_resident(), len(os.listdir("/proc/self/fd"))))  # noqa: PTH208
    return found


def write_sources(folder: Path, count: int) -> list[str]:
    """Write files of which nine of ten are images, and the rest videos and broken files."""
    broken = [content for _, content, outcome in image_cases() if outcome == "error"]
    clip = film("mp4")
    paths = []
    for number in range(count):
        path = folder / f"{number:04d}.jpg"
        if number % 20 == 18:
            path.write_bytes(broken[number // 20 % len(broken)])
        elif number % 20 == 19:
            path.write_bytes(clip)
        else:
            picture(320 + number % 7, 240 + number % 5).save(path, "JPEG")
        paths.append(str(path))
    return paths


def _resident() -> int:
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@click.command()
@click.option("--files", default=1000, show_default=True)
@click.option("--times", default=10, show_default=True)
@click.option("--preset", default="vgg16_top_down", show_default=True)
def memory(files: int, times: int, preset: str) -> None:
    """Caption the same files several times, and print memory and open files after each time."""
    captioner = Captioner.from_preset(preset)
    with tempfile.TemporaryDirectory() as folder:
        found = measure_rounds(captioner, write_sources(Path(folder), files), times)
    for number, (resident, descriptors) in enumerate(found, 1):
        click.echo(f"{number}: {resident / 1024:.0f} MiB, {descriptors} open files")
    growth = found[-1][0] / found[1][0] - 1
    click.echo(f"from the second time to the last: memory {growth:+.1%}, open files "
               f"{found[-1][1] - found[1][1]:+d}")  # fmt: skip
    sys.exit(1 if growth > 0.03 or found[-1][1] > found[1][1] else 0)
