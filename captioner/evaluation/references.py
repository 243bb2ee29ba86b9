"""Reference captions of images, from files in many formats; the images are not needed."""

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from captioner.datasets.flickr8k import SPLIT_FILES, read_token_file
from captioner.datasets.library_captions import is_library, read_library
from captioner.datasets.source import name_shortcoming, read_source
from captioner.errors import CaptionerError
from captioner.evaluation.caption_files import list_ids
from captioner.evaluation.caption_rows import read_caption_rows
from captioner.evaluation.matching import match_ids

_KINDS = (
    "give COCO captions or one of Karpathy's files (.json), {image: captions} (.json), a Flickr8k "
    "token file or other text (.txt), a table with image and caption (.csv, .tsv, .jsonl), or a "
    "library of `caption --library`"
)
_TEXTS = (".json", ".jsonl", ".csv", ".tsv", ".txt")
_TOKEN = re.compile(r"\S+#\d+\t")


@dataclass
class ReferenceSet:
    """The references of the images to score.

    Args:
        captions: One or more raw captions for each image id.
        files: File name of each image id, if the file contains it.
        training: Captions of the train split, if the file has one.
    """

    captions: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    training: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    """One image of a file: its names, its captions, its split if the file has splits."""

    ids: tuple[str, ...]
    file: str
    captions: list[str]
    split: str | None = None


def read_references(
    path: str | os.PathLike[str], *, split: str = "test", image_ids: Collection[str] = ()
) -> ReferenceSet:
    """Read reference captions.

    Args:
        path: Path of COCO captions (`.json` with "images" and "annotations"), one of Karpathy's
            files (`.json` with "images" and "sentences"), `Flickr8k.token.txt` (with any lists of
            splits beside it), a library of `caption --library`, for its corrections, or any file
            that `read_caption_rows` reads.
        split: Split to read if the file has splits; "all" reads every image.
        image_ids: Ids of the captions to score. Images in COCO's files have two ids (number and
            file name), those in Karpathy's files several ("filename", "cocoid" and "imgid"). The
            kind that matches most of `image_ids` is used, see `match_ids`.

    Returns:
        The references.

    Raises:
        CaptionerError: If the file is missing, is in another format or has no such split, or an
            image has no caption or an empty one.

    Example:
        >>> read_references("dataset_flickr8k.json", split="val")  # doctest: +SKIP
    """
    path = Path(path)
    kind = path.suffix.lower()
    if is_library(path):
        entries = [
            _Entry((example.id,), example.path, list(example.captions))
            for example in read_library(path).examples
        ]
    elif kind == ".json" and (content := _object_with_images(path)):
        try:
            entries = list(_coco_entries(content) if "annotations" in content else
                           _karpathy_entries(content))  # fmt: skip
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise CaptionerError(f"{path} {name_shortcoming(error)}: {_KINDS}") from error
    elif kind == ".txt" and _TOKEN.match(read_source(path)):
        entries = list(_flickr_entries(path))
    elif kind in _TEXTS:
        entries = list(_merge(_rows(path)))
    else:
        raise CaptionerError(f"{path} has no readable references: {_KINDS}")
    has_splits = any(entry.split is not None for entry in entries)
    chosen = [e for e in entries if split == "all" or not has_splits or e.split == split]
    if not chosen:
        splits = sorted({entry.split for entry in entries if entry.split})
        raise CaptionerError(
            f'{path} has no images in the split "{split}": choose one of {", ".join(splits)} or all'
            if splits
            else f"{path} lists no images: {_KINDS}"
        )
    empty = [e.ids[0] for e in chosen if not e.captions or not all(c.strip() for c in e.captions)]
    if empty:
        raise CaptionerError(
            f"{path} has no caption or an empty one for {list_ids(empty)}: write or remove them"
        )
    kinds = range(min(len(entry.ids) for entry in chosen))
    known = [len(match_ids(image_ids, [entry.ids[name] for entry in chosen])) for name in kinds]
    name = known.index(max(known))
    return ReferenceSet(
        captions={entry.ids[name]: entry.captions for entry in chosen},
        files={entry.ids[name]: entry.file for entry in chosen},
        training=[text for entry in entries if entry.split == "train" for text in entry.captions],
    )


def _object_with_images(path: Path) -> dict[str, Any] | None:
    """Return the content of a COCO or Karpathy file; None for any other file."""
    try:
        content = json.loads(read_source(path))
    except ValueError as error:
        raise CaptionerError(f"{path} is not JSON ({error}): {_KINDS}") from error
    is_one = isinstance(content, dict) and ("annotations" in content or "images" in content)
    return content if is_one else None


def _coco_entries(content: dict[str, Any]) -> Iterator[_Entry]:
    names = {image["id"]: image.get("file_name", "") for image in content.get("images", [])}
    captions: dict[Any, list[str]] = {image: [] for image in names}
    for annotation in content["annotations"]:
        captions.setdefault(annotation["image_id"], []).append(annotation["caption"])
    for image, texts in captions.items():
        name = names.get(image, "")
        yield _Entry((str(image), name) if name else (str(image),), name, texts)


def _karpathy_entries(content: dict[str, Any]) -> Iterator[_Entry]:
    for image in content["images"]:
        file = str(PurePosixPath(image.get("filepath", ""), image["filename"]))
        numbers = [str(image[key]) for key in ("cocoid", "imgid") if key in image]
        yield _Entry(
            (image["filename"], *numbers),
            file,
            [sentence["raw"] for sentence in image["sentences"]],
            "train" if image["split"] == "restval" else image["split"],
        )


def _flickr_entries(path: Path) -> Iterator[_Entry]:
    lists = {split: path.parent / name for split, name in SPLIT_FILES.items()}
    splits = {
        image: split
        for split, names in lists.items()
        if names.exists()
        for image in read_source(names).split()
    }
    for image, texts in read_token_file(path).items():
        yield _Entry((image,), image, texts, splits.get(image, "none") if splits else None)


def _rows(path: Path) -> Iterator[tuple[str, str, str | None]]:
    rows = read_caption_rows(path)
    faults = [f"{row.place} {row.fault or 'has an empty caption: write one or remove it'}"
              for row in rows if row.fault or not row.captions]  # fmt: skip
    if faults:
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise CaptionerError("; ".join(faults[:5]) + more)
    for row in rows:
        for caption in row.captions:
            yield row.image, caption, row.split or None


def _merge(rows: Iterable[tuple[str, str, str | None]]) -> Iterator[_Entry]:
    captions: dict[tuple[str, str | None], list[str]] = {}
    for image, caption, split in rows:
        captions.setdefault((image, split), []).append(caption)
    for (image, split), texts in captions.items():
        yield _Entry((image,), image, texts, split)
