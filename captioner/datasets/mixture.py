"""A mixture of data sets for one training."""

import dataclasses
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from pydantic.dataclasses import dataclass

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.readers import read_dataset
from captioner.datasets.recipe_values import KNOWN_KEYS_ONLY, Count, Flag, NotNegative, Positive
from captioner.errors import CaptionerError


@dataclass(frozen=True, config=KNOWN_KEYS_ONLY)
class DataConfig:
    """One data set of a training, as in a recipe.

    Args:
        path: Path of the data set, see `read_dataset`.
        name: Name in logs, feature stores and image ids; "" for a single data set.
        images: Folder of the images, if the data set does not name it.
        weight: Number of uses of each example in an epoch: 2 uses all twice, 0.5 uses half of them.
        frames: Number of frames of a clip in a training step, at most: with 1, a random frame is
            used as an image; with more, a random number of frames; with None, all stored frames.
        captions: If False, the sentences are not captions to imitate but phrases or class names;
            only the presence of their words is learned from.
        validation: Weight of its score in the mean that decides which epoch is the best.
        distilled: If True, only the stage's teachers are learned from on its captions, and on
            those of the other data sets only the captions.
    """

    path: str
    name: str = ""
    images: str | None = None
    weight: Positive = 1.0
    frames: Count | None = None
    captions: Flag = True
    validation: NotNegative = 1.0
    distilled: Flag = False


@dataclasses.dataclass(frozen=True)
class Part:
    """A data set of a mixture, after reading.

    Args:
        settings: Settings in the recipe.
        dataset: Examples of the data set.
    """

    settings: DataConfig
    dataset: Dataset

    @property
    def prefix(self) -> str:
        """Prefix of the data set's image ids in the mixture."""
        return f"{self.settings.name}/" if self.settings.name else ""

    def own_id(self, image_id: str) -> str:
        """Return the id in the data set itself, for an id in the mixture."""
        return image_id.removeprefix(self.prefix)


class Mixture:
    """The examples of several data sets; their ids begin with the name of the data set.

    Args:
        parts: One or more data sets; if there are several, each has a unique name.

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
            [dataclasses.replace(e, id=part.prefix + e.id) for e in part.dataset.examples]
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
            captions_only: If True, leave out parts without captions to imitate.

        Raises:
            CaptionerError: If no part has such a split.
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

    The test splits of a mixture are left out, since neither training nor model selection may use
    them. A single data set is read whole, since its feature store has all its examples.

    Args:
        configs: Configs of one or more data sets.
        strict: If True, refuse tables with faulty rows; otherwise leave the rows out.

    Raises:
        CaptionerError: If a data set cannot be read, or a mixture's has only a test split.
    """
    parts = [
        Part(config, read_dataset(config.path, config.images, strict=strict)) for config in configs
    ]
    if len(parts) > 1:
        parts = [dataclasses.replace(part, dataset=_without_test(part.dataset)) for part in parts]
    return Mixture(parts)


def draw_epoch(
    sizes: Sequence[int], weights: Sequence[float], rng: np.random.Generator
) -> np.ndarray:
    """Draw the order of the examples of several data sets in an epoch.

    Args:
        sizes: Number of examples of each data set; indices run through all sets, one after another.
        weights: Number of uses of each data set in an epoch.
        rng: Random generator.

    Returns:
        Indices of examples, int (N,); N is not random.

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
        raise CaptionerError(f"{dataset.name} has only a test split: there is nothing to train on")
    return Dataset(dataset.name, kept, dataset.faults)
