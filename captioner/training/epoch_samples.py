"""What a model in training says about a few images, epoch by epoch: numbers do not show it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from captioner.datasets.dataset import Example
from captioner.errors import CaptionerError
from captioner.replacing import replacing

SAMPLES = "samples.jsonl"
_COUNT = 3  # of each data set


@dataclass(frozen=True)
class Sample:
    """What is said about one image or clip after one epoch.

    Attributes:
        epoch: From 1.
        path: Where the image lies.
        caption: By the model.
        people: The first caption that people wrote.
    """

    epoch: int
    path: str
    caption: str
    people: str


class EpochSamples:
    """Keeps captions of the same few validation images after each epoch.

    They are those of whole validation, so they cost nothing.

    Args:
        validation: The validation examples of each data set.
        count: Images of each data set, evenly over its examples.

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
        """Take the captions of a data set, by the ids of its examples."""
        self._captions |= {e.id: captions[e.id] for e in self._examples if e.id in captions}

    def of_epoch(self, epoch: int) -> list[Sample]:
        """Return what was taken since the last epoch."""
        said, self._captions = self._captions, {}
        return [
            Sample(epoch, example.path, said[example.id], example.captions[0])
            for example in self._examples
            if example.id in said
        ]


def write_samples(folder: Path, samples: Sequence[Sample]) -> None:
    """Add the samples of an epoch to those of the epochs before; an epoch done again has one place.

    Args:
        folder: Of the stage.
        samples: Of one epoch; none change nothing.
    """
    if not samples:
        return
    kept = [sample for sample in read_samples(folder) if sample.epoch < samples[0].epoch]
    with replacing(folder / SAMPLES) as partial, partial.open("w", encoding="utf-8") as file:
        for sample in (*kept, *samples):
            file.write(json.dumps(asdict(sample), ensure_ascii=False) + "\n")


def read_samples(folder: Path) -> list[Sample]:
    """Return the samples of a stage, epoch by epoch; none where it has kept none.

    Raises:
        CaptionerError: The file is damaged.
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
    """Return `count` different places out of `length`, at even distances."""
    return [int(place) for place in (np.arange(count) + 0.5) * length / max(count, 1)]
