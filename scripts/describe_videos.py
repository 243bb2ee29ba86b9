#!/usr/bin/env python
"""Describe each shot of every video in a folder, as JSON Lines.

    python scripts/describe_videos.py videos --out captions.jsonl

A row is a video: {"path": ..., "segments": [{"start": ..., "end": ..., "caption": ...}, ...]}, with
an "error" if it could not be read to its end; an image has only a "caption". The same command
resumes an interrupted run. `caption videos --recursive --out captions.jsonl` does the same, and
also resumes in the middle of a video; this script is a template to change.
"""

import math
from contextlib import ExitStack
from pathlib import Path

import click
from tqdm import tqdm

from captioner import Captioner
from captioner.cli.endings import plain_errors
from captioner.media.files import find_media
from captioner.presets.storage import DEFAULT_PRESET, preset_folder
from captioner.reports.output import open_report
from captioner.reports.run_record import Settings


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--preset", default=DEFAULT_PRESET, show_default=True)
@click.option("--whole", is_flag=True, help="One sentence per video, not per shot.")
def main(folder: str, out: Path, preset: str, whole: bool) -> None:
    """Describe the videos of FOLDER and its subfolders."""
    with plain_errors(), ExitStack() as stack:
        settings = Settings.of_preset(preset, preset_folder(preset), {"--whole": whole})
        report = stack.enter_context(open_report(out, "jsonl", settings=settings))
        found = find_media([folder], recursive=True)
        films = [path for path in found if not report.skip(path)]
        if not films:
            return
        captioner = Captioner.from_preset(preset)
        frames = 0
        with tqdm(total=len(films), unit=" videos", disable=None) as progress:
            # Threads decode the next videos while the network describes this one.
            for result in captioner.describe(films, every=math.inf if whole else None):
                report.write(result.source, result.caption, result.last)
                frames += result.frames
                progress.set_postfix(frames=frames, refresh=False)
                progress.update(result.last)


if __name__ == "__main__":
    main()
