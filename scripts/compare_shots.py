#!/usr/bin/env python
"""Compare the shot detector of this project with PySceneDetect's, on known cuts.

    pip install 'captioner[peers]'
    python scripts/compare_shots.py data/flickr8k/images
    python scripts/compare_shots.py data/activity/clips

Videos are concatenated from the folder's images, over which a window pans or zooms, or from its
clips of one shot each. So every cut is known, and any other cut of a detector is wrong. The times
include decoding and detecting, as a ratio to this project's.
"""

import time
from collections.abc import Callable, Iterator
from itertools import chain, count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import click
import numpy as np
from moving_windows import move
from tqdm import tqdm

from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned
from captioner.media.image import load_image
from captioner.media.sampling import RATE
from captioner.media.shots import mark_cuts
from captioner.media.video import Video

_PICTURES, _CLIPS = {".jpg", ".jpeg", ".png"}, {".mp4", ".avi", ".mkv", ".mov", ".webm"}
_HEIGHT, _WIDTH = 240, 320
_PICTURE_RATE = 24  # frames/s of a video made from images
_SECONDS = (1.0, 6.0)  # minimum and maximum length of a shot
_SHORTEST = 0.6  # minimum seconds of a shot, PySceneDetect's default
_TOLERANCE = 1.5 / RATE  # seconds between a cut and its reported time

Shot = list[np.ndarray]  # frames, uint8 (H, W, 3) each
Detector = Callable[[Path], list[float]]  # times of the cuts of a video, in seconds


def read_shot(path: Path, random: np.random.Generator) -> tuple[Shot, int]:
    """Return a shot of 1 to 6 seconds, but not longer than its clip, and its frame rate.

    For an image, a window of 50 to 100 % of its side moves from one position and size to another.
    """
    seconds = random.uniform(*_SECONDS)
    if path.suffix.lower() in _PICTURES:
        sides = random.uniform(0.5, 1, 2)
        first, last = (np.array([*random.uniform(0, 1 - side, 2), side]) for side in sides)
        frames = round(seconds * _PICTURE_RATE)
        return move(load_image(path), first, last, frames), _PICTURE_RATE
    with av.open(str(path)) as container:
        rate = round(container.streams.video[0].average_rate or _PICTURE_RATE)
        decoded = islice(container.decode(video=0), round(seconds * rate))
        return [frame.to_ndarray(format="rgb24") for frame in decoded], rate


def write_film(path: Path, sources: list[Path], random: np.random.Generator) -> list[float]:
    """Join a shot of each source at the rate of the first; return the cuts' times in seconds."""
    shots, rates = zip(*(read_shot(source, random) for source in sources), strict=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rates[0])
        stream.height, stream.width, stream.pix_fmt = _HEIGHT, _WIDTH, "yuv420p"
        for image in chain.from_iterable(shots):
            frame = av.VideoFrame.from_ndarray(image).reformat(_WIDTH, _HEIGHT)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    ends: list[float] = (np.cumsum([len(shot) for shot in shots]) / rates[0]).tolist()
    return ends[:-1]


def ours(film: Path) -> list[float]:
    """Return the cuts from `captioner.media.shots`, on the frames that the captioner samples."""
    video = Video(str(film))
    try:
        marked = list(mark_cuts(video.frames(k / RATE for k in count())))
    finally:
        video.close()
    return [frame.time for frame, cut in marked if cut][1:]


def peers() -> Iterator[tuple[str, Detector]]:
    """Yield PySceneDetect's detectors with default thresholds, on all and on sampled frames."""
    try:
        from scenedetect import AdaptiveDetector, ContentDetector, SceneManager, open_video
    except ImportError as error:
        raise CaptionerError("compare_shots needs: pip install 'captioner[peers]'") from error

    def detecting(kind: type, sampled: bool) -> Detector:
        def detect(film: Path) -> list[float]:
            video = open_video(str(film), backend="pyav", suppress_output=True)
            step = max(1, round(video.frame_rate / RATE)) if sampled else 1
            manager = SceneManager()
            manager.add_detector(kind(min_scene_len=round(_SHORTEST * video.frame_rate)))
            manager.detect_scenes(video, frame_skip=step - 1)
            return [start.seconds for start, _ in manager.get_scene_list()[1:]]

        return detect

    for kind in (AdaptiveDetector, ContentDetector):
        yield f"{kind.__name__}, all frames", detecting(kind, sampled=False)
        yield f"{kind.__name__}, {RATE:g} frames a second", detecting(kind, sampled=True)


def matched(found: list[float], true: list[float]) -> int:
    """Return the number of true cuts that are found, each at a different time within tolerance."""
    left, hits = sorted(found), 0
    for cut in true:
        near = [x for x in left if abs(x - cut) <= _TOLERANCE]
        if near:
            left.remove(min(near, key=lambda x: abs(x - cut)))
            hits += 1
    return hits


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--films", default=20, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--shots", default=15, show_default=True, type=click.IntRange(min=2), help="Per video."
)
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, films: int, shots: int, seed: int) -> None:
    """Find the cuts of videos joined from the images or clips in FOLDER."""
    with plain_errors():
        sources = sorted(p for p in folder.iterdir() if p.suffix.lower() in _PICTURES | _CLIPS)
        if len(sources) < shots:
            raise CaptionerError(f"{folder} has {len(sources)} images or clips: give more")
        detectors: list[tuple[str, Detector]] = [("captioner", ours), *peers()]
        hits, reported = dict.fromkeys(dict(detectors), 0), dict.fromkeys(dict(detectors), 0)
        seconds = dict.fromkeys(dict(detectors), 0.0)
        random, known = np.random.default_rng(seed), 0
        with TemporaryDirectory() as workplace:
            for number in tqdm(range(films), unit=" videos", disable=None):
                film = Path(workplace) / f"{number}.mp4"
                chosen = random.choice(len(sources), shots, replace=False)
                true = write_film(film, [sources[i] for i in chosen], random)
                known += len(true)
                for name, detect in detectors:
                    began = time.perf_counter()
                    found = detect(film)
                    seconds[name] += time.perf_counter() - began
                    hits[name] += matched(found, true)
                    reported[name] += len(found)
        click.echo(f"{films} videos, {known} cuts\n")
        rows = [
            [
                name,
                f"{100 * hits[name] / known:.1f}",
                f"{100 * hits[name] / max(reported[name], 1):.1f}",
                f"{200 * hits[name] / (known + reported[name]):.1f}",
                f"{seconds[name] / seconds['captioner']:.1f}",
            ]
            for name in seconds
        ]
        click.echo(aligned(["detector", "recall", "precision", "F1", "time"], rows))


if __name__ == "__main__":
    main()
