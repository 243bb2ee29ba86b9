"""Several data sets that one model learns from together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError


@dataclass(frozen=True)
class DataConfig:
    """One data set of a training, as a recipe names it.

    Args:
        path: What `read_dataset` reads.
        name: Its name in logs, feature stores and image ids; of a single data set, "".
        images: Folder of the images, where the data set does not say.
        weight: How often an epoch sees each example: 2 twice, 0.5 every other one.
        frames: Frames of a clip in a training step, at most: 1 picks a frame at random as an
            image, more give a clip of a random number of them; None gives all that are stored.
        captions: Whether the sentences are captions to imitate. If not, their words alone are
            learnt from, as being present: phrases, class names.
        validation: Weight of its score in the mean that decides which epoch is the best.
    """

    path: str
    name: str = ""
    images: str | None = None
    weight: float = 1.0
    frames: int | None = None
    captions: bool = True
    validation: float = 1.0


@dataclass(frozen=True)
class Part:
    """A data set of a mixture, read.

    Args:
        settings: As the recipe gives them.
        dataset: Its examples.
    """

    settings: DataConfig
    dataset: Dataset

    @property
    def prefix(self) -> str:
        """What comes before an image id of the data set in the mixture's."""
        return f"{self.settings.name}/" if self.settings.name else ""

    def own_id(self, image_id: str) -> str:
        """Return the id of an example of the mixture in the data set itself."""
        return image_id.removeprefix(self.prefix)


class Mixture:
    """The examples of several data sets, with ids that tell where they come from.

    Args:
        parts: One or more; of several, each has a name of its own.

    Example:
        >>> example = Example("1.jpg", "1.jpg", ("A dog.",), (("a", "dog"),), "train")
        >>> dataset = Dataset("mine", (example,))
        >>> parts = [Part(DataConfig("x", name=name), dataset) for name in ("one", "two")]
        >>> [example.id for example in Mixture(parts).split("train")]
        ['one/1.jpg', 'two/1.jpg']
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self._examples = [
            [replace(e, id=part.prefix + e.id) for e in part.dataset.examples]
            for part in self.parts
        ]
        self._part_of = {
            example.id: part
            for part, examples in zip(self.parts, self._examples, strict=True)
            for example in examples
        }

    @cached_property
    def dataset(self) -> Dataset:
        """All examples as one data set."""
        name = " + ".join(part.dataset.name for part in self.parts)
        examples = tuple(example for own in self._examples for example in own)
        return Dataset(name, examples, tuple(f for part in self.parts for f in part.dataset.faults))

    def part_of(self, example: Example) -> Part:
        """Return the part that an example comes from."""
        return self._part_of[example.id]

    def split(self, name: str, captions_only: bool = True) -> list[Example]:
        """Return the examples of one split, part by part.

        Args:
            name: "train", "val" or "test".
            captions_only: Leave out parts whose sentences are not to be imitated.

        Raises:
            CaptionerError: No part has such a split.
        """
        chosen = [
            example
            for part, examples in zip(self.parts, self._examples, strict=True)
            if part.settings.captions or not captions_only
            for example in examples
            if example.split == name
        ]
        return chosen or self.dataset.split(name)


def read_mixture(configs: Sequence[DataConfig], strict: bool = False) -> Mixture:
    """Read the data sets of a training.

    The test splits of a mixture are left out: neither training nor choice may see them. A single
    data set is read whole, since feature stores know it by all its examples.

    Args:
        configs: At least one.
        strict: Refuse tables with faulty rows, instead of leaving the rows out.

    Raises:
        CaptionerError: A data set cannot be read, or has nothing to train on or validate with.
    """
    parts = [
        Part(config, read_dataset(config.path, config.images, strict=strict)) for config in configs
    ]
    if len(parts) > 1:
        parts = [replace(part, dataset=_without_test(part.dataset)) for part in parts]
    return Mixture(parts)


def draw_epoch(
    sizes: Sequence[int], weights: Sequence[float], rng: np.random.Generator
) -> np.ndarray:
    """Draw the order in which an epoch goes through the examples of several data sets.

    Args:
        sizes: Number of examples of each data set; they are numbered through, one set after
            another.
        weights: How often each is seen in an epoch.
        rng: Where chance comes from.

    Returns:
        int (N,), numbers of examples; N does not depend on chance.

    Example:
        >>> sorted(draw_epoch([2, 3], [2.0, 1.0], np.random.default_rng(0)).tolist())
        [0, 0, 1, 1, 2, 3, 4]
    """
    picks = []
    first = 0
    for size, weight in zip(sizes, weights, strict=True):
        rounds, rest = divmod(round(size * weight), size)
        picks += [np.arange(first, first + size)] * rounds
        if rest:
            picks.append(first + rng.permutation(size)[:rest])
        first += size
    return rng.permutation(np.concatenate([np.zeros(0, int), *picks]))


def _without_test(dataset: Dataset) -> Dataset:
    kept = tuple(example for example in dataset.examples if example.split != "test")
    if not kept:
        raise CaptionerError(f"{dataset.name} has a test split alone: there is nothing to train on")
    return Dataset(dataset.name, kept, dataset.faults)
