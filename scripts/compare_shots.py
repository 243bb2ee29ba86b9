#!/usr/bin/env python
"""Compare the shot detector of this project with PySceneDetect's, on known transitions.

    pip install 'captioner[peers]'
    python scripts/compare_shots.py data/flickr8k/images
    python scripts/compare_shots.py data/activity/clips --half second --seed 1

Videos are joined from the folder's images, over which a window pans or zooms, or from its clips of
one shot each, by transitions of each kind of `known_transitions.py`. So every transition is known,
and anything else that a detector finds is wrong. A cell is F1 (recall/precision). The times include
decoding and detecting, as a ratio to this project's.

In subfolders, a file name up to the folder's name names the recording that a clip was cut from
(`golf/Tee_golf_1.avi`); one clip of each is used, and those of one video are from different
folders. The parameters of the detector were chosen on the first halves.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import click
import numpy as np
from known_transitions import KINDS, Shot, Transition, join
from moving_windows import move
from PIL import Image
from tqdm import tqdm

from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned
from captioner.media.image import load_image
from captioner.media.sampling import RATE
from captioner.media.shots import mark_cuts
from captioner.media.video import Video

_PICTURES, _CLIPS = {".jpg", ".jpeg", ".png"}, {".mp4", ".avi", ".mkv", ".mov", ".webm"}
_HEIGHT, _WIDTH = 120, 160
_PICTURE_RATE = 24  # frames/s of a video made from images
_SECONDS = (1.0, 6.0)  # minimum and maximum length of a shot, without its transitions
_SHORTEST = 0.6  # minimum seconds of a shot, PySceneDetect's default
_TOLERANCE = 1.5 / RATE  # seconds between a transition and the reported time
_HALVES = 12345  # seed of the division of a folder into halves

Detector = Callable[[Path], list[float]]  # times of the cuts of a video, in seconds


def find_sources(folder: Path, half: str) -> list[Path]:
    """Return the images and clips of a folder, one of each recording, or half of them."""
    recordings: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _PICTURES | _CLIPS:
            recordings.setdefault(path.stem.rsplit(f"_{path.parent.name}_", 1)[0], path)
    sources = [recordings[name] for name in sorted(recordings)]
    order = np.random.default_rng(_HALVES).permutation(len(sources))
    parts = {"first": order[: len(order) // 2], "second": order[len(order) // 2 :]}
    return [sources[i] for i in parts[half]] if half in parts else sources


def choose(sources: list[Path], shots: int, random: np.random.Generator) -> list[Path]:
    """Return sources for a video, from different subfolders if there are enough of these."""
    shuffled = [sources[i] for i in random.permutation(len(sources))]
    each = list({path.parent: path for path in shuffled}.values())
    return (each if len(each) >= shots else shuffled)[:shots]


def read_shot(path: Path, extra: float, random: np.random.Generator) -> tuple[Shot, float]:
    """Return a shot of 1 to 6 seconds, and its frame rate.

    For an image, a window of 50 to 100 % of its side moves from one position and size to another.
    A clip that is too short is played forwards and backwards.

    Args:
        path: Image or clip.
        extra: Seconds by which the shot is longer, for its transitions.
        random: Source of the length and of the window.
    """
    seconds = random.uniform(*_SECONDS) + extra
    if path.suffix.lower() in _PICTURES:
        sides = random.uniform(0.5, 1, 2)
        first, last = (np.array([*random.uniform(0, 1 - side, 2), side]) for side in sides)
        moved = move(load_image(path), first, last, round(seconds * _PICTURE_RATE))
        return list(map(_resize, moved)), _PICTURE_RATE
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate or _PICTURE_RATE)
        frames = round(seconds * rate)
        decoded = islice(container.decode(video=0), frames)
        there = [_resize(frame.to_ndarray(format="rgb24")) for frame in decoded]
    both_ways = there + there[-2:0:-1]
    return [both_ways[i % len(both_ways)] for i in range(frames)], rate


def _resize(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((_WIDTH, _HEIGHT), Image.Resampling.BILINEAR))


def write_film(
    path: Path, sources: list[Path], random: np.random.Generator, kind: str = "cut"
) -> list[Transition]:
    """Join a shot of each source at the rate of the first; return the transitions."""
    shots, rates = zip(
        *(read_shot(source, KINDS[kind][1], random) for source in sources), strict=True
    )
    frames, found = join(shots, rates[0], kind, random)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=round(rates[0]), options={"preset": "ultrafast"}
        )
        stream.height, stream.width, stream.pix_fmt = _HEIGHT, _WIDTH, "yuv420p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
    scale = rates[0] / round(rates[0])
    return [Transition(start * scale, end * scale) for start, end in found]


def ours(film: Path) -> list[float]:
    """Return the cuts from `captioner.media.shots`, on the frames that the captioner samples."""
    video = Video(str(film))
    try:
        marked = list(mark_cuts(video.frames(k / RATE for k in count())))
    finally:
        video.close()
    return [frame.time for frame, cut in marked if cut][1:]


def peers() -> Iterator[tuple[str, Detector]]:
    """Yield PySceneDetect's detectors with default thresholds, on all frames."""
    try:
        import scenedetect
    except ImportError as error:
        raise CaptionerError("compare_shots needs: pip install 'captioner[peers]'") from error

    def detecting(*kinds: str) -> Detector:
        def detect(film: Path) -> list[float]:
            video = scenedetect.open_video(str(film), backend="pyav", suppress_output=True)
            manager = scenedetect.SceneManager()
            for kind in kinds:
                shortest = round(_SHORTEST * video.frame_rate)
                manager.add_detector(getattr(scenedetect, kind)(min_scene_len=shortest))
            manager.detect_scenes(video)
            return [start.seconds for start, _ in manager.get_scene_list()[1:]]

        return detect

    yield "AdaptiveDetector", detecting("AdaptiveDetector")
    yield "ContentDetector", detecting("ContentDetector")
    # ThresholdDetector finds fades through black, and nothing else.
    yield "Adaptive- and ThresholdDetector", detecting("AdaptiveDetector", "ThresholdDetector")


def matched(found: list[float], true: list[Transition]) -> int:
    """Return the number of transitions that are found, each at another time within tolerance."""
    left, hits = sorted(found), 0
    for start, end in true:
        near = [x for x in left if start - _TOLERANCE <= x <= end + _TOLERANCE]
        if near:
            left.remove(min(near, key=lambda x: abs(x - (start + end) / 2)))
            hits += 1
    return hits


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--films", default=20, show_default=True, type=click.IntRange(min=1), help="Of each kind."
)
@click.option(
    "--shots", default=15, show_default=True, type=click.IntRange(min=2), help="Per video."
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(list(KINDS)),
    help="Kind of the transitions; default: all.",
)
@click.option(
    "--half",
    default="all",
    show_default=True,
    type=click.Choice(["all", "first", "second"]),
    help="Half of the folder's images or clips.",
)
@click.option("--seed", default=0, show_default=True)
def main(
    folder: Path, films: int, shots: int, kinds: tuple[str, ...], half: str, seed: int
) -> None:
    """Find the transitions of videos joined from the images or clips in FOLDER."""
    with plain_errors():
        sources = find_sources(folder, half)
        if len(sources) < shots:
            raise CaptionerError(f"{folder} has {len(sources)} images or clips: give more")
        kinds = kinds or tuple(KINDS)
        detectors: list[tuple[str, Detector]] = [("captioner", ours), *peers()]
        hits: Counter[tuple[str, str]] = Counter()
        reported: Counter[tuple[str, str]] = Counter()
        known: Counter[str] = Counter()
        seconds: dict[str, float] = dict.fromkeys(dict(detectors), 0.0)
        random = np.random.default_rng(seed)
        todo = [kind for kind in kinds for _ in range(films)]
        with TemporaryDirectory() as workplace:
            for number, kind in enumerate(tqdm(todo, unit=" videos", disable=None)):
                film = Path(workplace) / f"{number}.mp4"
                true = write_film(film, choose(sources, shots, random), random, kind)
                known[kind] += len(true)
                for name, detect in detectors:
                    began = time.perf_counter()
                    found = detect(film)
                    seconds[name] += time.perf_counter() - began
                    hits[name, kind] += matched(found, true)
                    reported[name, kind] += len(found)
                film.unlink()
        click.echo(f"{films} videos of each kind, {known[kinds[0]]} transitions\n")

        def cell(name: str, kind: str) -> str:
            hit, of, all_found = hits[name, kind], known[kind], reported[name, kind]
            recall, precision = 100 * hit / of, 100 * hit / max(all_found, 1)
            return f"{200 * hit / (of + all_found):.1f} ({recall:.0f}/{precision:.0f})"

        rows = [
            [
                name,
                *(cell(name, kind) for kind in kinds),
                f"{seconds[name] / seconds['captioner']:.1f}",
            ]
            for name in seconds
        ]
        click.echo(aligned(["detector", *kinds, "time"], rows))


if __name__ == "__main__":
    main()
