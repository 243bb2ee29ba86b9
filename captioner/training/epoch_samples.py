"""Captions after each epoch of a training: of a few images, to show; warnings about all of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from captioner.datasets.dataset import Example
from captioner.errors import CaptionerError
from captioner.replacing import replacing

SAMPLES = "samples.jsonl"
_COUNT = 3  # images of each data set
_FEW_WORDS = 10
_ENOUGH_IMAGES = 4


@dataclass(frozen=True)
class Sample:
    """The caption of one image or clip after one epoch.

    Attributes:
        epoch: Number of the epoch, from 1.
        path: Path of the image.
        caption: Caption of the model.
        people: First human caption.
    """

    epoch: int
    path: str
    caption: str
    people: str


def choose_shown(validation: Mapping[str, Sequence[Example]], count: int = _COUNT) -> list[Example]:
    """Choose the validation images whose captions are shown after each epoch.

    Args:
        validation: Validation examples of each data set.
        count: Number of images of each data set, evenly spaced over its examples.

    Example:
        >>> dogs = [Example(name, name, ("A dog.",)) for name in ("a.jpg", "b.jpg", "c.jpg")]
        >>> [example.path for example in choose_shown({"": dogs}, count=1)]
        ['b.jpg']
    """
    return [
        examples[place]
        for examples in validation.values()
        for place in _evenly(len(examples), min(count, len(examples)))
    ]


def samples_of(shown: Sequence[Example], captions: Mapping[str, str], epoch: int) -> list[Sample]:
    """Return the captions of the images that are shown.

    Args:
        shown: Images from `choose_shown`.
        captions: Captions of the whole split, by image id.
        epoch: Number of the epoch, from 1.

    Example:
        >>> samples_of([Example("1", "dog.jpg", ("A dog.",))], {"1": "a cat"}, epoch=2)
        [Sample(epoch=2, path='dog.jpg', caption='a cat', people='A dog.')]
    """
    return [
        Sample(epoch, example.path, captions[example.id], example.captions[0])
        for example in shown
        if example.id in captions
    ]


def write_samples(folder: Path, samples: Sequence[Sample]) -> None:
    """Add the samples of an epoch to those of earlier epochs; a repeated epoch is replaced.

    Args:
        folder: Folder of the stage.
        samples: Samples of one epoch; an empty list changes nothing.
    """
    if not samples:
        return
    kept = [sample for sample in read_samples(folder) if sample.epoch < samples[0].epoch]
    with replacing(folder / SAMPLES) as partial, partial.open("w", encoding="utf-8") as file:
        for sample in (*kept, *samples):
            file.write(json.dumps(asdict(sample), ensure_ascii=False) + "\n")


def read_samples(folder: Path) -> list[Sample]:
    """Return the samples of a stage, epoch by epoch; an empty list if it has no file of them.

    Raises:
        CaptionerError: If the file is damaged.
    """
    path = folder / SAMPLES
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Sample(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise CaptionerError(f"{path} cannot be read ({error}): delete it") from error


def warnings_about(captions: Mapping[str, str]) -> list[str]:
    """Warn if the captions of several images hardly differ, as after too short a training.

    Args:
        captions: Captions by image id.

    Returns:
        A list of one line, or an empty list.

    Example:
        >>> warnings_about(dict.fromkeys("abcd", "a dog"))[0][:56]
        'warning: all 4 val images get the same caption, "a dog":'
        >>> warnings_about({"a": "a dog", "b": "two men", "c": "snow", "d": "a red car"})
        []
    """
    if len(captions) < _ENOUGH_IMAGES:
        return []
    words = {word for text in captions.values() for word in text.split()}
    advice = (
        "it has not learned to tell images apart; continue the bundled model instead "
        "(`captioner teach`), train longer, or give more images and captions"
    )
    if len(set(captions.values())) == 1:
        text = next(iter(captions.values()))
        return [f'warning: all {len(captions)} val images get the same caption, "{text}": {advice}']
    if len(words) < _FEW_WORDS and len(captions) >= 2 * len(words):
        return [f"warning: only {len(words)} words describe {len(captions)} val images: {advice}"]
    return []


def _evenly(length: int, count: int) -> list[int]:
    """Return `count` different, evenly spaced indices below `length`."""
    return [int(place) for place in (np.arange(count) + 0.5) * length / max(count, 1)]
