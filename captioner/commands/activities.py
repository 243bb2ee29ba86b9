"""What the commands do where it is activities that are trained, scored and told."""

import json
from collections.abc import Callable, Iterator
from itertools import chain, tee
from pathlib import Path
from typing import TYPE_CHECKING

import click

from captioner.engines.tensorflow_logs import tensorflow_logs_hidden
from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.media.remote import Remote
    from captioner.presets.activity import ActivityPreset
    from captioner.result import Result


def evaluate_activities(
    preset: str,
    dataset: Path,
    split: str,
    weights: str | None,
    confusion: Path | None,
    as_json: bool,
) -> None:
    """`captioner evaluate` of a preset that recognizes activities."""
    from tqdm import tqdm

    from captioner.datasets.clip_readers import read_clip_dataset
    from captioner.evaluation.accuracy import count_confusion
    from captioner.evaluation.confusion_picture import write_confusion
    from captioner.presets.activity import read_activity_preset

    loaded = read_activity_preset(preset)
    clips = read_clip_dataset(dataset, loaded.config["split_seed"])
    examples = list(clips.examples) if split == "all" else clips.split(split)
    with tensorflow_logs_hidden():
        from captioner.activity_classifier import ActivityClassifier

    classifier = ActivityClassifier(loaded, weights=weights)
    truth, given = [], []
    stream = classifier.stream(example.path for example in examples)
    for example, found in zip(
        examples, tqdm(stream, total=len(examples), unit="clip", disable=None), strict=True
    ):
        if isinstance(found, CaptionerError):
            click.echo(f"left out: {example.path}: {found}", err=True)
        else:
            truth.append(example.label)
            given.append(found.text)
    report = count_confusion(loaded.labels, truth, given)
    if confusion:
        write_confusion(report, confusion)
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else report.to_text())


def read_recognizer(name: str) -> "tuple[ActivityPreset, Path]":
    """The preset that `caption --activity` names, and its folder."""
    from captioner.presets.activity import read_activity_preset
    from captioner.presets.storage import preset_folder

    try:
        folder = preset_folder(name)
    except CaptionerError as error:
        raise click.BadParameter(str(error), param_hint="--activity") from error
    return read_activity_preset(folder), folder


def label_clips(
    paths: Iterator[str],
    source_of: "Callable[[str], str | bytes | Remote]",
    preset: "ActivityPreset",
    precision: str,
    weights: str | None,
    top: int,
    timeout: float,
) -> Iterator[tuple[str, "Result"]]:
    """Yields each path with its label, loading the network only if there are paths.

    Args:
        paths: Of clips.
        source_of: What is to be read for a path.
        preset: That of an `ActivityClassifier`.
        precision: As for it.
        weights: As for it.
        top: Labels for each clip.
        timeout: Seconds that reading one clip may take.
    """
    first = next(paths, None)
    if first is None:
        return
    with tensorflow_logs_hidden():
        from captioner.activity_classifier import ActivityClassifier
    from captioner.result import Result

    classifier = ActivityClassifier(preset, precision, weights)
    to_read, names = tee(chain([first], paths))
    sources = map(source_of, to_read)
    # `stream` reads ahead by some clips; the names wait for it.
    for index, found in enumerate(classifier.stream(sources, top, timeout)):
        frames = 0 if isinstance(found, CaptionerError) else classifier.frames
        yield next(names), Result(index, found, last=True, frames=frames)
