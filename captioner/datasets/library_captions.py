"""What people have corrected in a library of `caption --library`, as a data set."""

import os
from pathlib import Path

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import caption_words, with_pictures
from captioner.datasets.table import split_images
from captioner.errors import CaptionerError

_SQLITE = b"SQLite format 3\0"  # how every file of SQLite 3 begins


def is_library(path: Path) -> bool:
    """Whether a path is a file of SQLite, as libraries are."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def read_library(path: str | os.PathLike[str]) -> Dataset:
    """Read the corrected captions of a library; what a model said and nobody has corrected is not.

    Args:
        path: The SQLite file.

    Returns:
        The data set, named like the file; image ids are paths from the folder of the library.
        Copies of a file are one image, with the captions of all. Its `faults` name corrections that
        are left out: of files that are gone, and of single shots of a clip, since a caption is
        taught for the whole of it. Images are split by `split_images`.

    Raises:
        CaptionerError: The file is no library, nothing in it was corrected, or the files are gone.

    Example:
        >>> read_library("photos.db").examples[0].captions  # doctest: +SKIP
        ('our dog Rex at the lake',)
    """
    from captioner.library.schema import connect  # whoever reads tables needs no SQLite

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
            f"nothing in {path} was corrected: give captions of your own by "
            f'`captioner correct {path} FILE "CAPTION"`'
        )
    faults = []
    found: dict[str, tuple[str, list[str]]] = {}  # of each content, its first path and captions
    for row in rows:
        name = row["path"]
        if row["shots"] > 1:
            faults.append(
                f"{path}: {name} has {row['shots']} shots, of which no single one is taught"
            )
        elif row["removed"] is not None or not (path.resolve().parent / name).exists():
            faults.append(f"{path}: {name} is gone")
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
    return with_pictures(path.stem, examples, path, faults)
