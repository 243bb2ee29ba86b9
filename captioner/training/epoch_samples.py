"""Captions of a few images after each epoch of a training, which show more than scores do."""

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


class EpochSamples:
    """Keeps captions of the same few validation images after each epoch.

    They come from the validation of the whole split, so they cost no extra time.

    Args:
        validation: Validation examples of each data set.
        count: Number of images of each data set, evenly spaced over its examples.

    Example:
        >>> dog = Example("1", "dog.jpg", ("A dog.",), (("a", "dog"),), "val")
        >>> samples = EpochSamples({"": [dog]})
        >>> samples.take({"1": "a cat"})
        >>> samples.of_epoch(2)
        [Sample(epoch=2, path='dog.jpg', caption='a cat', people='A dog.')]
    """

    def __init__(self, validation: Mapping[str, Sequence[Example]], count: int = _COUNT) -> None:
        self._examples = [
            examples[place]
            for examples in validation.values()
            for place in _evenly(len(examples), min(count, len(examples)))
        ]
        self._captions: dict[str, str] = {}

    def take(self, captions: Mapping[str, str]) -> None:
        """Keep the captions of the few images; `captions` has those of a data set by image id."""
        self._captions |= {e.id: captions[e.id] for e in self._examples if e.id in captions}

    def of_epoch(self, epoch: int) -> list[Sample]:
        """Return the samples that were taken since the last call."""
        said, self._captions = self._captions, {}
        return [
            Sample(epoch, example.path, said[example.id], example.captions[0])
            for example in self._examples
            if example.id in said
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


def _evenly(length: int, count: int) -> list[int]:
    """Return `count` different, evenly spaced indices below `length`."""
    return [int(place) for place in (np.arange(count) + 0.5) * length / max(count, 1)]
