#!/usr/bin/env python
"""Compare five methods of reading the frames of a clip, on the same clips.

    python scripts/moving_windows.py data/flickr8k --split val --out data/moving_windows
    python scripts/compare_frames.py data/moving_windows --split val

- attention: all frames at once, as in the captioner; each word attends to the locations of all
  frames, and each frame is blended with the mean of all;
- unblended: the same, with unblended frames;
- middle: only the middle frame, as an image;
- mean: the mean of the features over the frames, as one frame;
- vote: each frame by itself; then the sentence of most frames, and among ties the one with the
  best score.

VGG16 encodes every frame once, for all five. The last columns are the 95 % intervals of a score and
of its difference from attention's, from the bootstrap over clips.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from captioner.captioner import Captioner
from captioner.cli.endings import plain_errors
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.evaluation.bootstrap import paired_bootstrap
from captioner.evaluation.evaluation import Evaluation, evaluate_captions, references_of
from captioner.evaluation.meteor import Meteor
from captioner.evaluation.score_table import aligned, interval_text
from captioner.media.sources import read_clips
from captioner.models.clip_features import smooth_frames
from captioner.presets.storage import DEFAULT_PRESET
from captioner.results import Caption

METRICS = ("CIDEr", "METEOR", "BLEU-4")
_BATCH = 25  # clips in one batch

Features = Sequence[np.ndarray]  # of each clip, float (T, P, C)


def encode(captioner: Captioner, paths: Sequence[Path]) -> list[np.ndarray]:
    """Return the features of up to 16 frames of each video, float32 (T, P, C)."""
    encoded = []
    for path in tqdm(paths, "VGG16", unit=" clips", disable=None):
        (clip,) = read_clips(path, captioner.image_size, math.inf)
        encoded.append(captioner.writer.engine.encode(clip.frames[:, np.newaxis])[:, 0])
    return encoded


def search(captioner: Captioner, clips: Features) -> list[Caption]:
    """Return the best sentence about each clip, from its unblended frames."""
    found: list[Caption] = []
    for first in range(0, len(clips), _BATCH):
        for caption in captioner.caption_features(clips[first : first + _BATCH]):
            if isinstance(caption, CaptionerError):
                raise caption
            found.append(caption)
    return found


def attention(captioner: Captioner, clips: Features) -> list[Caption]:
    """Return the best sentence about each clip, from its blended frames."""
    return search(captioner, [smooth_frames(clip) for clip in clips])


def middle(captioner: Captioner, clips: Features) -> list[Caption]:
    """Return the best sentence about the middle frame of each clip."""
    return search(captioner, [clip[len(clip) // 2, np.newaxis] for clip in clips])


def mean(captioner: Captioner, clips: Features) -> list[Caption]:
    """Return the best sentence about the mean frame of each clip."""
    return search(captioner, [clip.mean(axis=0, keepdims=True) for clip in clips])


def vote(captioner: Captioner, clips: Features) -> list[Caption]:
    """Return the best sentence of most frames of each clip."""
    said = iter(search(captioner, [frame[np.newaxis] for clip in clips for frame in clip]))
    return [elect([next(said) for _ in clip]) for clip in clips]


def elect(candidates: Sequence[Caption]) -> Caption:
    """Return the most frequent sentence, and among ties the one with the best score."""
    votes = Counter(candidate.words for candidate in candidates)
    return max(candidates, key=lambda candidate: (votes[candidate.words], candidate.score))


WAYS: dict[str, Callable[[Captioner, Features], list[Caption]]] = {
    "attention": attention,
    "unblended": search,
    "middle": middle,
    "mean": mean,
    "vote": vote,
}


def score_table(evaluations: Sequence[Evaluation]) -> str:
    """Return the scores x 100, and the difference of each method from the first."""
    first, *others = evaluations
    differences = [paired_bootstrap(first.metrics, other.metrics) for other in others]
    rows = []
    for metric in (name for name in METRICS if name in first.metrics):
        for number, evaluation in enumerate(evaluations):
            score, ends = evaluation.metrics[metric].score, evaluation.intervals[metric]
            row = [metric, evaluation.name, f"{100 * score:.1f}", interval_text(ends), "", ""]
            if number:
                found = differences[number - 1][metric]
                row[4:] = f"{100 * found.difference:+.1f}", interval_text((found.low, found.high))
            rows.append(row)
    heading = ("x 100", "frames", "score", "95 % interval", f"to {first.name}", "95 % interval")
    return aligned(heading, rows)


def caption_table(evaluations: Sequence[Evaluation]) -> str:
    """Return the captions of each clip, and its first human caption."""
    first = evaluations[0]
    rows = [
        (clip, truths[0], *(evaluation.captions[clip] for evaluation in evaluations))
        for clip, truths in first.references.items()
    ]
    return aligned(("clip", "people", *(evaluation.name for evaluation in evaluations)), rows)


@click.command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Folder of the clips.")
@click.option("--split", default="test", show_default=True, help='Split, or "all".')
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option("--meteor/--no-meteor", default=None, help="Default: if Java is installed.")
@click.option("--captions", is_flag=True, help="Also print the captions of each clip.")
def main(
    dataset: Path,
    images: Path | None,
    split: str,
    preset: str,
    meteor: bool | None,
    captions: bool,
) -> None:
    """Score five methods of describing the clips of DATASET, a table of (image, caption)."""
    with plain_errors():
        truth, films = references_of(read_dataset(dataset, images), split)
        captioner = Captioner.from_preset(preset)
        clips = encode(captioner, list(films.values()))
        use_meteor = Meteor.is_available() if meteor is None else meteor
        program = Meteor() if use_meteor else None
        evaluations = []
        for name, describe in WAYS.items():
            found = describe(captioner, clips)
            said = [caption.text for caption in found]
            evaluations.append(
                evaluate_captions(
                    dict(zip(films, said, strict=True)),
                    truth.captions,
                    name=name,
                    meteor=program,
                )
            )
        click.echo(f"{len(clips)} clips, {sum(map(len, clips))} frames, {preset}\n")
        click.echo(score_table(evaluations))
        if captions:
            click.echo(f"\n{caption_table(evaluations)}")


if __name__ == "__main__":
    main()
