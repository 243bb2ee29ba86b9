"""COCO captions as their authors publish them: `captions_train2017.json` and its like."""

import json
import os
import re
from pathlib import Path
from typing import Any

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import caption_words, read_source, with_pictures
from captioner.datasets.table import split_images
from captioner.errors import CaptionerError

COCO_PATTERN = "captions_*.json"
# The images of captions_train2017.json are in a folder train2017.
_NAME = re.compile(r"captions_(?P<folder>(?P<split>train|val|test)\d*)")


def read_coco(
    path: str | os.PathLike[str], images_dir: str | os.PathLike[str] | None = None
) -> Dataset:
    """Read COCO's captions, `images` and `annotations` of a JSON file.

    Args:
        path: A file, or a folder whose files `captions_*.json`, or those of its subfolder
            `annotations`, are all read.
        images_dir: The folder of the images, or of `train2017` and `val2017`; by default it is
            looked for beside the files, beside their folder, and in `images` there.

    Returns:
        The data set "coco". Image ids are COCO's numbers. `captions_train*.json` is the split
        "train", `captions_val*.json` "val"; of a file of another name each image goes to a split
        by the hash of its file name, as in a table. Images without captions are left out.

    Raises:
        CaptionerError: A file is missing or not of this kind, an image is listed twice, or the
            images are elsewhere.

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
            raise CaptionerError(f"{path} holds no {COCO_PATTERN}: give COCO's folder or a file")
    examples = [e for file in files for e in _read_file(file, images_dir)]
    return with_pictures("coco", examples, files[0])


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
            f"{path} is not one of COCO's files ({type(error).__name__}: {error}): it needs "
            '"images" with "id" and "file_name", and "annotations" with "image_id" and "caption"'
        ) from error
    match = _NAME.match(path.name)
    folder = _find_images(path, images_dir, match["folder"] if match else "", names)
    splits = split_images(names.values())
    examples = []
    for image_id, texts in captions.items():
        if image_id not in names:
            raise CaptionerError(
                f'{path} has captions of image {image_id}, which is not among its "images": '
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
    """Return the first folder that has the first image, or where it ought to be."""
    roots = [path.parent, path.parent.parent] if images_dir is None else [Path(images_dir)]
    folders = [
        folder for root in roots for folder in (root / own, root / "images" / own, root / "images")
    ]
    folders += roots
    first = next(iter(names.values()), "")
    return next((folder for folder in folders if (folder / first).is_file()), roots[0] / own)
