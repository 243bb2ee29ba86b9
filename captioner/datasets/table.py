"""Your own pictures and captions: a CSV or JSON Lines table."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Container, Iterator
from pathlib import Path

from captioner.datasets.caption_dataset import CaptionDataset, CaptionExample
from captioner.datasets.source_files import caption_words, read_source, with_pictures
from captioner.errors import CaptionerError

SPLITS = ("train", "val", "test")


def read_table(
    path: str | os.PathLike[str], images_dir: str | os.PathLike[str] | None = None
) -> CaptionDataset:
    r"""Read a table with the columns `image`, `caption` and, if you like, `split`.

    A picture with several captions has several rows. Without a column `split`, each picture goes to
    "train", "val" or "test" by the SHA-256 of its name, 90, 5 and 5 of 100 on average: a picture
    keeps its split whatever other rows come or go. In JSON Lines all rows have a split or none.

    Args:
        path: a `.csv` file with a header, or a `.jsonl` file with one object a line.
        images_dir: the folder that relative picture paths start from; by default the file's own.

    Returns:
        The data set, named like the file; image ids are the paths as written in the table.

    Raises:
        CaptionerError: the file or a column is missing, a row is malformed, or the pictures are
            elsewhere.

    Example:
        >>> from pathlib import Path
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "dog.jpg").write_bytes(b"")
        >>> _ = (folder / "mine.csv").write_text("image,caption\ndog.jpg,A dog sleeps.\n")
        >>> read_table(folder / "mine.csv").examples[0].tokens
        (('a', 'dog', 'sleeps'),)
    """
    path = Path(path)
    rows = _csv_rows(path) if path.suffix.lower() == ".csv" else _jsonl_rows(path)
    captions: dict[str, list[str]] = {}
    words: dict[str, list[tuple[str, ...]]] = {}
    splits: dict[str, str] = {}
    for place, row in rows:
        image, caption = row.get("image"), row.get("caption")
        if not image or not isinstance(image, str):
            raise CaptionerError(f"{place} names no image: fill its column or remove the row")
        split = row["split"] if "split" in row else split_by_hash(image)
        if split not in SPLITS:
            raise CaptionerError(f"{place} has a split other than {', '.join(SPLITS)}: correct it")
        if splits.setdefault(image, split) != split:
            raise CaptionerError(
                f"{place} puts {image} into {split}, another row into {splits[image]}: choose one"
            )
        words.setdefault(image, []).append(caption_words(caption, place))
        captions.setdefault(image, []).append(str(caption))
    folder = path.parent if images_dir is None else Path(images_dir)
    examples = [
        CaptionExample(
            image_id=image,
            path=str(folder / image),
            captions=tuple(captions[image]),
            tokens=tuple(words[image]),
            split=split,
        )
        for image, split in splits.items()
    ]
    return with_pictures(path.stem, examples, path)


def split_by_hash(image: str) -> str:
    """Assign an image to a split by the SHA-256 of its name: 90 % train, 5 % val, 5 % test."""
    hundredth = int.from_bytes(hashlib.sha256(image.encode()).digest()) % 100
    return "train" if hundredth < 90 else "val" if hundredth < 95 else "test"


def _csv_rows(path: Path) -> Iterator[tuple[str, dict]]:
    reader = csv.DictReader(io.StringIO(read_source(path)), strict=True, skipinitialspace=True)
    try:
        _require_columns(reader.fieldnames or (), f"the header of {path}")
        for row in reader:
            place = f"{path}, line {reader.line_num},"
            if None in row:
                raise CaptionerError(
                    f"{place} has more cells than the header: put captions with commas in quotes"
                )
            yield place, row
    except csv.Error as error:
        raise CaptionerError(
            f"{path} is not CSV after line {reader.line_num} ({error}): correct its quotation marks"
        ) from error


def _jsonl_rows(path: Path) -> Iterator[tuple[str, dict]]:
    has_split = None
    # Not splitlines(): JSON strings may hold line separators of Unicode.
    for number, line in enumerate(read_source(path).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number},"
        try:
            row = json.loads(line)
            json.dumps(row, ensure_ascii=False).encode()  # Half a surrogate pair is no text.
        except ValueError as error:
            raise CaptionerError(f"{place} is not JSON ({error}): correct it") from error
        if not isinstance(row, dict):
            raise CaptionerError(f'{place} is not an object like {{"image": ..., "caption": ...}}')
        _require_columns(row, place)
        if has_split not in (None, "split" in row):
            raise CaptionerError(f"{place} differs from the rows above: give all a split, or none")
        has_split = "split" in row
        yield place, row


def _require_columns(columns: Container[str], place: str) -> None:
    missing = [name for name in ("image", "caption") if name not in columns]
    if missing:
        raise CaptionerError(f"{place} lacks {' and '.join(missing)}: add what is missing")
