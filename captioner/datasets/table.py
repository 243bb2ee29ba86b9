"""Readers of user data: a table, or a folder of images with a text file beside each."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.rows import Row, read_rows
from captioner.datasets.source import caption_words, read_source, with_images
from captioner.errors import CaptionerError
from captioner.media.files import find_media, is_media

# With fewer images, a split by hashes alone may have too few validation images.
_ENOUGH_FOR_HASHES = 200
_LOOKED_AT = 20


def read_table(
    path: str | os.PathLike[str],
    images_dir: str | os.PathLike[str] | None = None,
    strict: bool = False,
) -> Dataset:
    r"""Read a table of images and captions, see `rows.read_rows`.

    An image with several captions has several rows, or a list of captions. `a.jpg`, `./a.jpg` and
    `a.jpg ` are the same image, and also `a` if no file has that name and only `a.jpg` matches.

    Images without a split are split by `split_images`.

    Args:
        path: Path of the table.
        images_dir: Folder that relative paths start from; by default the file's own, or, if it has
            none of the first images, the first folder in it that has one of them.
        strict: If True, refuse a table with a faulty row; otherwise leave the row out.

    Returns:
        The data set, named like the file; image ids are the paths as written in the table. Its
        `faults` list the rows that were left out.

    Raises:
        CaptionerError: If the file is missing or is not a table, no row is valid, or the images are
            not found.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "dog.jpg").write_bytes(b"")
        >>> _ = (folder / "mine.csv").write_text("image,caption\ndog.jpg,A dog sleeps.\n")
        >>> read_table(folder / "mine.csv").examples[0].tokens
        (('a', 'dog', 'sleeps'),)
    """
    path = Path(path)
    rows = list(read_rows(path))
    right = [row for row in rows if not row.fault]
    faults = [f"{row.place} {row.fault}" for row in rows if row.fault]
    if rows and not right:
        raise CaptionerError(f"{_listed(faults)}: no row of {path} is valid")
    folder = _images_folder(path, right) if images_dir is None else Path(images_dir)
    return _build(path, folder, right, faults, strict)


def read_captioned_folder(folder: str | os.PathLike[str], strict: bool = False) -> Dataset:
    """Read a folder of images with a text file beside each: `a.jpg` and `a.txt`, or `a.jpg.txt`.

    Each line of the text is a caption. Images without a text are left out.

    Args:
        folder: Folder of the images; its subfolders are not searched.
        strict: If True, refuse an empty text; otherwise leave its image out.

    Returns:
        The data set, named like the folder; image ids are file names.

    Raises:
        CaptionerError: If no image has a text.
    """
    folder = Path(folder)
    rows = []
    for name in sorted(entry.name for entry in folder.iterdir() if is_media(entry.name)):
        text = caption_file(folder / name)
        if text is not None:
            lines = tuple(line.strip() for line in read_source(text).split("\n") if line.strip())
            fault = "" if lines else "is empty: write a caption or remove it"
            rows.append(Row(str(text), name, lines, fault=fault))
    right = [row for row in rows if not row.fault]
    faults = [f"{row.place} {row.fault}" for row in rows if row.fault]
    return _build(folder, folder, right, faults, strict)


def caption_file(image: Path) -> Path | None:
    """Return the text file beside an image, `a.jpg.txt` or `a.txt`, or None."""
    candidates = (image.with_name(image.name + ".txt"), image.with_suffix(".txt"))
    return next((text for text in candidates if text.is_file()), None)


def split_images(images: Iterable[str]) -> dict[str, str]:
    """Assign images to splits, by the SHA-256 of their names.

    With 200 images or more, 90, 5 and 5 % on average go to "train", "val" and "test", and an image
    keeps its split if other images are added or removed. With fewer, "val" gets a tenth or four
    images, if that is more, but at most a quarter; the rest goes to "train". So fewer than four
    images all go to "train".

    Example:
        >>> from collections import Counter
        >>> Counter(split_images(f"{n}.jpg" for n in range(20)).values())
        Counter({'train': 16, 'val': 4})
    """
    draws = {image: int.from_bytes(hashlib.sha256(image.encode()).digest()) for image in images}
    if len(draws) >= _ENOUGH_FOR_HASHES:
        return {image: _by_hundredth(draw % 100) for image, draw in draws.items()}
    count = max(len(draws) // 10, min(len(draws) // 4, 4))
    val = set(sorted(draws, key=lambda image: (draws[image], image))[:count])
    return {image: "val" if image in val else "train" for image in draws}


def _by_hundredth(hundredth: int) -> str:
    return "train" if hundredth < 90 else "val" if hundredth < 95 else "test"


@dataclass
class _Image:
    """The content of all rows of one image."""

    image_id: str
    path: Path
    split: str
    captions: list[str] = field(default_factory=list)


def _build(
    source: Path, folder: Path, rows: Iterable[Row], faults: list[str], strict: bool
) -> Dataset:
    found: dict[str, _Image] = {}
    stems: Mapping[str, Path] | None = None
    for row in rows:
        path = _image_path(folder, row.image)
        if not path.suffix and not path.exists():
            stems = _stems(folder) if stems is None else stems
            path = stems.get(row.image, path)
        image = found.setdefault(os.path.normpath(path), _Image(row.image, path, row.split))
        image.split = image.split or row.split
        if row.split and row.split != image.split:
            faults.append(
                f"{row.place} puts {row.image} into {row.split}, another row into {image.split}: "
                "choose one"
            )
            continue
        image.captions += [text for text in row.captions if _has_words(text, row.place, faults)]
    if strict and faults:
        raise CaptionerError(f"{_listed(faults)}: correct them, or leave out --strict")
    images = [image for image in found.values() if image.captions]
    splits = split_images(image.image_id for image in images if not image.split)
    examples = [
        Example(
            id=image.image_id,
            path=str(image.path),
            captions=tuple(image.captions),
            tokens=tuple(caption_words(caption, image.image_id) for caption in image.captions),
            split=image.split or splits[image.image_id],
        )
        for image in images
    ]
    if not examples and faults:
        raise CaptionerError(f"{_listed(faults)}: no row of {source} is valid")
    return with_images(source.stem, examples, source, faults)


def _has_words(caption: str, place: str, faults: list[str]) -> bool:
    try:
        return bool(caption_words(caption, place))
    except CaptionerError as error:
        faults.append(str(error))
        return False


def _image_path(folder: Path, image: str) -> Path:
    path = folder / image
    if "\\" in image and not path.exists():  # written on Windows
        path = folder.joinpath(*PureWindowsPath(image).parts)
    return path


def _stems(folder: Path) -> dict[str, Path]:
    """Return the images of a folder by their names without suffix, if these are unique."""
    paths: dict[str, Path] = {}
    doubled = set()
    for path in map(Path, find_media([folder]) if folder.is_dir() else ()):
        if path.stem in paths:
            doubled.add(path.stem)
        paths[path.stem] = path
    return {stem: path for stem, path in paths.items() if stem not in doubled}


def _images_folder(path: Path, rows: Iterable[Row]) -> Path:
    """Return the folder of the images: the table's, or one in it such as Kaggle's `Images`."""
    first = [row.image for row in rows][:_LOOKED_AT]
    own = path.parent
    if any(_image_path(own, image).is_file() for image in first):
        return own
    for folder in sorted(entry for entry in own.iterdir() if entry.is_dir()):
        if any(_image_path(folder, image).is_file() for image in first):
            return folder
    return own


def _listed(faults: list[str]) -> str:
    more = f", and {len(faults) - 5} more" if len(faults) > 5 else ""
    return "; ".join(faults[:5]) + more
