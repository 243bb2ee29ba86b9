"""Reference captions of images, from whatever file they come in; the pictures are not needed."""

import csv
import io
import json
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from captioner.datasets.source import read_source
from captioner.errors import CaptionerError
from captioner.evaluation.caption_files import list_ids

_KINDS = (
    "give COCO captions or one of Karpathy's files (.json), a Flickr8k token file (.txt), "
    "or a .csv or .jsonl table with image and caption"
)
_FLICKR_SPLITS = {"train": "train", "val": "dev", "test": "test"}


@dataclass
class ReferenceSet:
    """The references of the images to be scored.

    Args:
        captions: one or more raw captions for each image id.
        pictures: the file name of each image id, where the file tells.
        training: captions of the training split, where the file has one.
    """

    captions: dict[str, list[str]] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    training: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    """One image of a file: its names, its captions, its split if the file has splits."""

    ids: tuple[str, ...]
    picture: str
    captions: list[str]
    split: str | None = None


def read_references(
    path: str | os.PathLike[str], *, split: str = "test", image_ids: Collection[str] = ()
) -> ReferenceSet:
    """Read reference captions.

    Args:
        path: COCO captions (`.json` with "images" and "annotations"), one of Karpathy's files
            (`.json` with "images" and "sentences"), `Flickr8k.token.txt` (with its lists of splits
            beside it, if there are splits), or a `.csv` or `.jsonl` table with the columns `image`
            (or `image_id`), `caption` and, if there are splits, `split`.
        split: the split to take where the file has splits; "all" takes every image.
        image_ids: ids of the captions that will be scored. An image of Karpathy's files has
            several, its "filename", "cocoid" and "imgid"; the kind that knows most is taken.

    Returns:
        The references.

    Raises:
        CaptionerError: the file is missing, of another kind or has no such split, or an image has
            no caption or an empty one.

    Example:
        >>> read_references("dataset_flickr8k.json", split="val")  # doctest: +SKIP
    """
    path = Path(path)
    kind = path.suffix.lower()
    try:
        if kind == ".json":
            entries = list(_json_entries(path))
        elif kind in (".csv", ".jsonl"):
            entries = list(_merge(_table_rows(path)))
        elif kind == ".txt":
            entries = list(_flickr_entries(path))
        else:
            raise CaptionerError(f"{path} holds no references that can be read: {_KINDS}")
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise CaptionerError(
            f"{path} holds no references that can be read ({type(error).__name__}: {error}): "
            f"{_KINDS}"
        ) from error
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
    wanted = set(image_ids)
    kinds = range(min(len(entry.ids) for entry in chosen))
    known = [sum(entry.ids[name] in wanted for entry in chosen) for name in kinds]
    name = known.index(max(known))
    return ReferenceSet(
        captions={entry.ids[name]: entry.captions for entry in chosen},
        pictures={entry.ids[name]: entry.picture for entry in chosen},
        training=[text for entry in entries if entry.split == "train" for text in entry.captions],
    )


def _json_entries(path: Path) -> Iterator[_Entry]:
    content = json.loads(read_source(path))
    if "annotations" in content:
        names = {image["id"]: image.get("file_name", "") for image in content.get("images", [])}
        captions: dict[Any, list[str]] = {image: [] for image in names}
        for annotation in content["annotations"]:
            captions.setdefault(annotation["image_id"], []).append(annotation["caption"])
        for image, texts in captions.items():
            yield _Entry((str(image),), names.get(image, ""), texts)
        return
    for image in content["images"]:
        picture = str(PurePosixPath(image.get("filepath", ""), image["filename"]))
        numbers = [str(image[key]) for key in ("cocoid", "imgid") if key in image]
        yield _Entry(
            (image["filename"], *numbers),
            picture,
            [sentence["raw"] for sentence in image["sentences"]],
            "train" if image["split"] == "restval" else image["split"],
        )


def _flickr_entries(path: Path) -> Iterator[_Entry]:
    splits = {}
    for split, written in _FLICKR_SPLITS.items():
        names = path.parent / f"Flickr_8k.{written}Images.txt"
        if names.exists():
            splits.update(dict.fromkeys(read_source(names).split(), split))
    rows = []
    for number, line in enumerate(read_source(path).splitlines(), start=1):
        key, tab, caption = line.partition("\t")
        image, hash_, _ = key.rpartition("#")
        if not line.strip():
            continue
        if not (tab and hash_):
            raise CaptionerError(
                f'{path}, line {number}, is not "picture#number<tab>caption": correct that line'
            )
        rows.append((image, caption, splits.get(image, "none") if splits else None))
    yield from _merge(rows)


def _table_rows(path: Path) -> Iterator[tuple[str, str, str | None]]:
    text = read_source(path)
    rows: Iterable[dict[str, Any]]
    if path.suffix.lower() == ".csv":
        rows = csv.DictReader(io.StringIO(text), strict=True, skipinitialspace=True)
    else:
        rows = (json.loads(line) for line in text.split("\n") if line.strip())
    for row in rows:
        image = row["image"] if "image" in row else row["image_id"]
        yield str(image), row["caption"] or "", row.get("split")


def _merge(rows: Iterable[tuple[str, str, str | None]]) -> Iterator[_Entry]:
    captions: dict[tuple[str, str | None], list[str]] = {}
    for image, caption, split in rows:
        captions.setdefault((image, split), []).append(caption)
    for (image, split), texts in captions.items():
        yield _Entry((image,), image, texts, split)
