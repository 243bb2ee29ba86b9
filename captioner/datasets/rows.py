"""Rows of image, captions and split, from tables in many formats."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captioner.datasets.source import read_source
from captioner.errors import CaptionerError
from captioner.media.files import is_media

# Column names that data sets and spreadsheets use, in the order of search.
IMAGE_COLUMNS = (
    "image", "image_id", "image_name", "file_name", "filename", "file_path", "filepath", "file",
    "path", "img", "picture", "photo", "video", "video_id", "clip",
)  # fmt: skip
CAPTION_COLUMNS = (
    "caption", "captions", "text", "sentence", "sentences", "comment", "description", "alt_text",
    "alt",
)  # fmt: skip
SPLIT_COLUMNS = ("split", "set", "subset", "partition")
SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
DELIMITERS = (",", ";", "\t", "|")
# Flickr's token files number the captions of an image: "1.jpg#0".
_NUMBERED = re.compile(r"#\d+$")


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Args:
        place: File and line or entry of the row, for messages.
        image: Image as named in the row, without surrounding blanks; "" if it names none.
        captions: Captions as written; may be empty.
        split: "train", "val" or "test"; "" if the table does not define it.
        fault: Fault of the row, as the end of a sentence that begins with `place`; "" if there is
            none.
    """

    place: str
    image: str
    captions: tuple[str, ...]
    split: str = ""
    fault: str = ""


def read_rows(path: Path) -> Iterator[Row]:
    r"""Read the rows of a table.

    A table is JSON Lines, a JSON list of objects, or text with commas, semicolons, tabs or bars
    between the cells, quoted or not. Without a header, the first column is the image, a second one
    may number the captions, and the rest is the caption. Columns may have any of the usual names
    (`image`, `file_name`, `caption`, `text`, ...) in any order; a caption may be a list. A JSON
    file may also be an object with captions, or lists of captions, by image.

    Args:
        path: Path of the file.

    Yields:
        All rows in order, including faulty ones.

    Raises:
        CaptionerError: If the file cannot be read, or is not such a table.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "excel.csv"
        >>> _ = path.write_text("Image ; Caption\n a.jpg ;A dog, asleep\n")
        >>> [(row.image, row.captions) for row in read_rows(path)]
        [('a.jpg', ('A dog, asleep',))]
    """
    text = read_source(path)
    kind = path.suffix.lower()
    if kind == ".jsonl":
        yield from _object_rows(_json_lines(path, text), f"{path}, line {{}},")
    elif kind == ".json":
        yield from _object_rows(_json_list(path, text), f"{path}, entry {{}},")
    else:
        yield from _text_rows(path, text)


def is_table(path: Path) -> bool:
    """Return True if the first line of a text file is that of a table of images and captions.

    Raises:
        CaptionerError: If the file cannot be read.
    """
    return _layout(read_source(path)) is not None


@dataclass(frozen=True)
class _Layout:
    """The layout of a text table: its delimiter, and the indices of its columns."""

    delimiter: str
    image: int
    caption: int
    split: int | None
    columns: int
    header: bool


def _layout(text: str) -> _Layout | None:
    first = next((line for line in text.split("\n") if line.strip()), "")
    headerless = None
    for delimiter in DELIMITERS:
        cells = next(csv.reader([first], delimiter=delimiter, skipinitialspace=True), [])
        names = [plain_name(cell) for cell in cells]
        image, caption = (_find(names, known) for known in (IMAGE_COLUMNS, CAPTION_COLUMNS))
        if image is not None and caption is not None:
            split = _find(names, SPLIT_COLUMNS)
            return _Layout(delimiter, image, caption, split, len(names), header=True)
        named = len(cells) > 1 and is_media(_NUMBERED.sub("", cells[0].strip()))
        if headerless is None and named:
            # The second cell may be the caption's number; the cell after that is the caption.
            columns = 3 if len(cells) > 2 and cells[1].strip().isdecimal() else 2
            headerless = _Layout(delimiter, 0, columns - 1, None, columns, header=False)
    return headerless


def plain_name(name: str) -> str:
    """Return the name of a column without case, quotes and blanks around it."""
    return name.strip().strip("\"'").strip().lower().replace(" ", "_").replace("-", "_")


def _find(names: Sequence[str], known: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _text_rows(path: Path, text: str) -> Iterator[Row]:
    if not text.strip():
        return
    layout = _layout(text)
    if layout is None:
        raise CaptionerError(
            f"the header of {path} lacks image and caption: begin it with a line such as "
            "image,caption (semicolons, tabs or bars work, too), or write an image's file name "
            "and its caption in each line"
        )
    reader = csv.reader(
        io.StringIO(text), delimiter=layout.delimiter, skipinitialspace=True, strict=True
    )
    header = layout.header
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if not header:
                    yield _text_row(f"{path}, line {reader.line_num},", cells, layout)
                header = False
    except csv.Error as error:
        raise CaptionerError(
            f"{path} is not CSV after line {reader.line_num} ({error}): correct its quotation marks"
        ) from error


def _text_row(place: str, cells: list[str], layout: _Layout) -> Row:
    while len(cells) > layout.columns and not cells[-1].strip():
        cells = cells[:-1]  # spreadsheets fill rows with empty cells
    if len(cells) > layout.columns and layout.caption == layout.columns - 1:
        # A caption at the end of the line with unquoted commas.
        cells = [*cells[: layout.caption], f"{layout.delimiter} ".join(cells[layout.caption :])]
    elif len(cells) > layout.columns:
        fault = "has more cells than the header: put captions with commas in quotes"
        return Row(place, cells[layout.image].strip(), (), fault=fault)
    cells = cells + [""] * (layout.columns - len(cells))
    image = cells[layout.image].strip()
    if not layout.header:
        image = _NUMBERED.sub("", image)
    split = "" if layout.split is None else cells[layout.split]
    return _row(place, image, [cells[layout.caption]], split)


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    # Not splitlines(): JSON strings may contain Unicode line separators.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                value = json.loads(line)
                json.dumps(value, ensure_ascii=False).encode()  # rejects half a surrogate pair
            except ValueError as error:
                value = error
            yield number, value


def _json_list(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode()
    except ValueError as error:
        raise CaptionerError(f"{path} is not JSON ({error}): correct it") from error
    by_image = content if isinstance(content, dict) else {}
    if by_image and all(isinstance(value, (str, list)) for value in by_image.values()):
        content = [{"image": image, "caption": value} for image, value in by_image.items()]
    if not isinstance(content, list):
        raise CaptionerError(
            f'{path} is neither a list of objects like {{"image": ..., "caption": ...}} nor an '
            "object like {image: caption}: make it one"
        )
    yield from enumerate(content, start=1)


def _object_rows(values: Iterator[tuple[int, Any]], place: str) -> Iterator[Row]:
    for number, value in values:
        here = place.format(number)
        if isinstance(value, ValueError):
            yield Row(here, "", (), fault=f"is not JSON ({value}): correct it")
            continue
        if not isinstance(value, dict):
            fault = 'is not an object like {"image": ..., "caption": ...}'
            yield Row(here, "", (), fault=fault)
            continue
        known = {plain_name(str(key)): entry for key, entry in value.items()}
        if "caption" not in known and isinstance(known.get("segments"), list):
            known["caption"] = [shot.get("caption") for shot in known["segments"]]
        image, caption, split = (
            next((known[name] for name in columns if name in known), None)
            for columns in (IMAGE_COLUMNS, CAPTION_COLUMNS, SPLIT_COLUMNS)
        )
        named = str(image) if isinstance(image, (str, int)) and image is not True else ""
        lacks = [name for name, entry in (("image", image), ("caption", caption)) if entry is None]
        if lacks:
            fault = f"lacks {' and '.join(lacks)}: add what is missing"
            yield Row(here, named.strip(), (), fault=fault)
            continue
        captions = caption if isinstance(caption, list) else [caption]
        texts = [c["raw"] if isinstance(c, dict) and "raw" in c else c for c in captions]
        yield _row(here, named.strip(), texts, "" if split is None else split)


def _row(place: str, image: str, captions: Sequence[Any], split: Any) -> Row:
    texts = tuple(caption for caption in captions if isinstance(caption, str) and caption.strip())
    fault = ""
    named = split.strip().lower() if isinstance(split, str) else str(split)
    if not image:
        fault = "has no image: fill in its column or remove the row"
    elif not texts:
        fault = "has an empty caption: write one or remove it"
    elif named and named not in SPLITS:
        fault = f"has a split other than train, val, test: correct {split!r}"
    return Row(place, image, texts, SPLITS.get(named, ""), fault)
