"""A model's captions for a split of a data set, ready to be scored."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from captioner.datasets.dataset import Dataset
from captioner.errors import CaptionerError
from captioner.evaluation.references import ReferenceSet


def references_of(dataset: Dataset, split: str) -> tuple[ReferenceSet, dict[str, Path]]:
    """Take the references and the pictures of a split.

    Args:
        dataset: Pictures with captions.
        split: "train", "val", "test", or "all".

    Returns:
        The references, with the captions of the train split beside them, and the pictures' paths
        by image id.

    Raises:
        CaptionerError: If the data set has no such split.
    """
    chosen = list(dataset.examples) if split == "all" else dataset.split(split)
    truth = ReferenceSet(
        captions={example.id: list(example.captions) for example in chosen},
        training=[
            caption
            for example in dataset.examples
            if example.split == "train"
            for caption in example.captions
        ],
    )
    return truth, {example.id: Path(example.path) for example in chosen}


def describe_pictures(
    presets: Sequence[str | Path],
    pictures: Mapping[str, Path],
    report: Callable[[str], None],
    **options: Any,
) -> dict[str, str]:
    """Let a model describe pictures.

    Args:
        presets: Names of bundled presets, or folders; of several the predictions are averaged.
        pictures: Paths by image id.
        report: Called with a line for each picture that cannot be read; it has no caption then.
        options: Those of `Captioner.stream`.

    Returns:
        Captions by image id.
    """
    from captioner.captioner import Captioner
    from captioner.presets.storage import read_preset

    captioner = Captioner([read_preset(preset, task=None) for preset in presets])
    # An animated picture is described as a whole: a data set has one caption for each.
    described = captioner.describe(pictures.values(), every=math.inf, **options)
    image_ids = list(pictures)
    captions = {}
    for result in tqdm(described, total=len(pictures), unit="picture", disable=None):
        image_id = image_ids[result.index]
        if isinstance(result.caption, CaptionerError):
            report(f"{pictures[image_id]}: {result.caption}")
        else:
            captions[image_id] = result.caption.text
    return captions
