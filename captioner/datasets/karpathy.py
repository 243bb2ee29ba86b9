"""Karpathy's JSON files: Flickr8k, Flickr30k and COCO with tokens and the usual splits."""

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import read_source, with_pictures
from captioner.errors import CaptionerError


def read_karpathy(
    json_path: str | os.PathLike[str], images_dir: str | os.PathLike[str] | None = None
) -> Dataset:
    """Read a `dataset_*.json` of Karpathy and Fei-Fei, with the tokens that stand in it.

    COCO's split "restval" counts as "train", as in the papers that use it.

    Args:
        json_path: the file.
        images_dir: the folder of the pictures, or of COCO's `train2014` and `val2014`; by default
            `images` beside the file, or the file's own folder if there is none.

    Returns:
        The data set, named as the file names it; image ids are file names, with COCO's subfolder.

    Raises:
        CaptionerError: the file is missing or not of this kind, or its pictures are elsewhere.

    Source: Karpathy and Fei-Fei 2015, "Deep Visual-Semantic Alignments for Generating Image
    Descriptions", https://cs.stanford.edu/people/karpathy/deepimagesent/

    Example:
        >>> read_karpathy("flickr8k/dataset_flickr8k.json").split("val")  # doctest: +SKIP
    """
    json_path = Path(json_path)
    if images_dir is None:
        beside = json_path.parent / "images"
        images_dir = beside if beside.is_dir() else json_path.parent
    try:
        content = json.loads(read_source(json_path))
        examples = [_example(image, Path(images_dir)) for image in content["images"]]
        name = content.get("dataset", json_path.stem)
    except ValueError as error:
        raise CaptionerError(f"{json_path} is not JSON ({error}): download it again") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise CaptionerError(
            f"{json_path} is not one of Karpathy's files ({type(error).__name__}: {error}): "
            'it needs "images" with "filename", "split" and "sentences" of "raw" and "tokens"'
        ) from error
    for example in examples:
        if not example.tokens or not all(example.tokens):
            raise CaptionerError(
                f"{json_path} has no caption or an empty one for {example.id}: "
                "write one or remove it"
            )
    return with_pictures(name, examples, json_path)


def _example(image: dict[str, Any], images_dir: Path) -> Example:
    image_id = str(PurePosixPath(image.get("filepath", ""), image["filename"]))
    return Example(
        id=image_id,
        path=str(images_dir / image_id),
        captions=tuple(sentence["raw"] for sentence in image["sentences"]),
        tokens=tuple(tuple(sentence["tokens"]) for sentence in image["sentences"]),
        split="train" if image["split"] == "restval" else image["split"],
    )
