"""Readers of JSON files: COCO's own, and Karpathy's with tokens and the usual splits."""

import json
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import caption_words, name_shortcoming, read_source, with_images
from captioner.datasets.table import split_images
from captioner.errors import CaptionerError


def read_karpathy(
    json_path: str | os.PathLike[str], images_dir: str | os.PathLike[str] | None = None
) -> Dataset:
    """Read a `dataset_*.json` of Karpathy and Fei-Fei, with the tokens that it contains.

    COCO's split "restval" counts as "train", as in the papers that use it.

    Args:
        json_path: Path of the file.
        images_dir: Folder of the images, or of COCO's `train2014` and `val2014`; by default
            `images` beside the file, or the file's own folder if there is none.

    Returns:
        The data set, with the name in the file; image ids are file names, with COCO's subfolder.

    Raises:
        CaptionerError: If the file is missing or in another format, or its images are not found.

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
            f"{json_path} is not one of Karpathy's files ({name_shortcoming(error)}): "
            'it needs "images" with "filename", "split" and "sentences" of "raw" and "tokens"'
        ) from error
    for example in examples:
        if not example.tokens or not all(example.tokens):
            raise CaptionerError(
                f"{json_path} has no caption or an empty one for {example.id}: "
                "write one or remove it"
            )
    return with_images(name, examples, json_path)


def _example(image: dict[str, Any], images_dir: Path) -> Example:
    image_id = str(PurePosixPath(image.get("filepath", ""), image["filename"]))
    return Example(
        id=image_id,
        path=str(images_dir / image_id),
        captions=tuple(sentence["raw"] for sentence in image["sentences"]),
        tokens=tuple(tuple(sentence["tokens"]) for sentence in image["sentences"]),
        split="train" if image["split"] == "restval" else image["split"],
    )


COCO_PATTERN = "captions_*.json"
# The images of captions_train2017.json are in a folder train2017.
_NAME = re.compile(r"captions_(?P<folder>(?P<split>train|val|test)\d*)")


def read_coco(
    path: str | os.PathLike[str], images_dir: str | os.PathLike[str] | None = None
) -> Dataset:
    """Read COCO's captions from the `images` and `annotations` of JSON files.

    Args:
        path: Path of a file, or of a folder with files `captions_*.json` (or with a subfolder
            `annotations` that has them), which are all read.
        images_dir: Folder of the images, or of `train2017` and `val2017`; by default it is
            searched beside the files, beside their folder, and in `images` there.

    Returns:
        The data set "coco". Image ids are COCO's numbers. `captions_train*.json` is the split
        "train", `captions_val*.json` is "val"; images of other files are split by the hashes of
        their file names, as in a table. Images without captions are left out.

    Raises:
        CaptionerError: If a file is missing or in another format, an image is listed twice, or the
            images are not found.

    Source: Chen et al. 2015, "Microsoft COCO Captions: Data Collection and Evaluation Server",
    https://arxiv.org/abs/1504.00325.

    Example:
        >>> read_coco("coco").split("val")  # doctest: +SKIP
    """
    path = Path(path)
    files = [path]
    if path.is_dir():
        files = sorted(path.glob(COCO_PATTERN)) or sorted(path.glob(f"annotations/{COCO_PATTERN}"))
        if not files:
            raise CaptionerError(f"{path} has no {COCO_PATTERN}: give COCO's folder or a file")
    examples = [e for file in files for e in _read_file(file, images_dir)]
    return with_images("coco", examples, files[0])


def _read_file(path: Path, images_dir: str | os.PathLike[str] | None) -> list[Example]:
    try:
        content = json.loads(read_source(path))
    except ValueError as error:
        raise CaptionerError(f"{path} is not JSON ({error}): download it again") from error
    captions: dict[Any, list[str]] = {}
    try:
        for annotation in content["annotations"]:
            captions.setdefault(annotation["image_id"], []).append(annotation["caption"])
        names = {image["id"]: str(image["file_name"]) for image in content["images"]}
    except (KeyError, TypeError) as error:
        raise CaptionerError(
            f"{path} is not one of COCO's files ({name_shortcoming(error)}): it needs "
            '"images" with "id" and "file_name", and "annotations" with "image_id" and "caption"'
        ) from error
    match = _NAME.match(path.name)
    folder = _find_images(path, images_dir, match["folder"] if match else "", names)
    splits = split_images(names.values())
    examples = []
    for image_id, texts in captions.items():
        if image_id not in names:
            raise CaptionerError(
                f'{path} has captions of image {image_id}, which is missing in its "images": '
                "download it again, or remove them"
            )
        name = names[image_id]
        place = f"{path}, image {image_id},"
        examples.append(
            Example(
                id=str(image_id),
                path=str(folder / name),
                captions=tuple(map(str, texts)),
                tokens=tuple(caption_words(text, place) for text in texts),
                split=match["split"] if match else splits[name],
            )
        )
    return examples


def _find_images(
    path: Path, images_dir: str | os.PathLike[str] | None, own: str, names: dict[Any, str]
) -> Path:
    """Return the first folder that contains the first image, or the folder where it should be."""
    roots = [path.parent, path.parent.parent] if images_dir is None else [Path(images_dir)]
    folders = [
        folder for root in roots for folder in (root / own, root / "images" / own, root / "images")
    ]
    folders += roots
    first = next(iter(names.values()), "")
    return next((folder for folder in folders if (folder / first).is_file()), roots[0] / own)
