"""Reader of the corrected captions of a library of `caption --library`."""

import os
from pathlib import Path

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import caption_words, with_images
from captioner.datasets.table import split_images
from captioner.errors import CaptionerError

_SQLITE = b"SQLite format 3\0"  # first bytes of every SQLite 3 file


def is_library(path: Path) -> bool:
    """Return True if the path is an SQLite file, as libraries are."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def read_library(path: str | os.PathLike[str]) -> Dataset:
    """Read the corrected captions of a library, but not a model's uncorrected captions.

    Args:
        path: Path of the SQLite file.

    Returns:
        The data set, named like the file; image ids are paths relative to the library's folder.
        Copies of a file are one image, with the captions of all. Its `faults` list corrections that
        are left out: those of missing files, and those of single shots of a clip, since training
        uses whole clips. Images are split by `split_images`.

    Raises:
        CaptionerError: If the file is not a library, it has no corrections, or the files are
            missing.

    Example:
        >>> read_library("photos.db").examples[0].captions  # doctest: +SKIP
        ('our dog Rex at the lake',)
    """
    from captioner.library.schema import connect  # readers of tables need no SQLite

    path = Path(path)
    connection = connect(path, create=False)
    try:
        rows = connection.execute(
            "SELECT files.path, sha256, removed, corrected, start, (SELECT count(*) FROM captions "
            "WHERE file = files.id) AS shots FROM captions JOIN files ON files.id = file "
            "WHERE corrected IS NOT NULL ORDER BY files.path, start"
        ).fetchall()
    finally:
        connection.close()
    if not rows:
        raise CaptionerError(
            f"no caption in {path} was corrected: add your own captions with "
            f'`captioner correct {path} FILE "CAPTION"`'
        )
    faults = []
    found: dict[str, tuple[str, list[str]]] = {}  # first path and captions of each content
    for row in rows:
        name = row["path"]
        if row["shots"] > 1:
            faults.append(
                f"{path}: {name} has {row['shots']} shots, and single shots cannot be trained on"
            )
        elif row["removed"] is not None or not (path.resolve().parent / name).exists():
            faults.append(f"{path}: {name} is missing")
        else:
            captions = found.setdefault(row["sha256"], (name, []))[1]
            if row["corrected"] not in captions:
                captions.append(row["corrected"])
    if not found:
        raise CaptionerError(f"{'; '.join(faults[:5])}: no correction of {path} can be used")
    splits = split_images(name for name, _ in found.values())
    examples = [
        Example(
            id=name,
            path=str(path.resolve().parent / name),
            captions=tuple(captions),
            tokens=tuple(caption_words(caption, f"{path}: {name}") for caption in captions),
            split=splits[name],
        )
        for name, captions in found.values()
    ]
    return with_images(path.stem, examples, path, faults)
