"""Captions by image, of a system or of people, from files in many formats."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from captioner.datasets.rows import Row, is_table, read_rows
from captioner.datasets.source import read_source
from captioner.errors import CaptionerError
from captioner.reports.csv import CSVLayout
from captioner.reports.text import unescape_path

_NUMBER = re.compile(r"#\d+$")  # "1.jpg#0", as Flickr's token files number captions
_SPAN = re.compile(r"\d+:\d\d:\d\d\.\d-\d+:\d\d:\d\d\.\d")


def read_caption_rows(path: Path) -> list[Row]:
    r"""Read captions with their images.

    Reads the reports of `caption` as text, JSON, JSON Lines or CSV (without alternative captions);
    JSON lists, JSON Lines and tables with an image and a caption, see `read_rows`; a JSON object
    with captions, or lists of captions, by image; and lines of text with an image, a tab and a
    caption. Lines with only a caption belong to the images "1", "2", and so on.

    Args:
        path: Path of the file.

    Returns:
        All rows in order, including faulty ones; each shot of a clip has its own row.

    Raises:
        CaptionerError: If the file cannot be read, or has none of these formats.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "captions.json"
        >>> _ = path.write_text('{"a.jpg": ["A dog.", "One dog."], "b.jpg": "A cat."}')
        >>> [(row.image, row.captions) for row in read_caption_rows(path)]
        [('a.jpg', ('A dog.', 'One dog.')), ('b.jpg', ('A cat.',))]
    """
    kind = path.suffix.lower()
    if kind in (".json", ".jsonl"):
        return list(read_rows(path))
    text = read_source(path)
    first = next((line for line in text.split("\n") if line.strip()), "")
    layout = _report_layout(first)
    if layout is not None:
        return list(_report_rows(path, text, layout))
    if kind in (".csv", ".tsv"):
        return list(read_rows(path))
    if "\t" in first and not (is_table(path) and _is_heading(first)):
        return list(_tabbed_rows(path, text))
    if is_table(path):
        return list(read_rows(path))
    lines = text.split("\n")
    return [
        Row(f"{path}, line {number},", str(number), (line.strip(),) if line.strip() else ())
        for number, line in enumerate(lines[:-1] if not lines[-1] else lines, start=1)
    ]


def _report_layout(header: str) -> CSVLayout | None:
    """Return the layout of a report of `caption --csv`; None for any other file."""
    try:
        return CSVLayout.parse(header)
    except ValueError:
        return None


def _report_rows(path: Path, text: str, layout: CSVLayout) -> Iterator[Row]:
    """Read a report of `caption --csv`: the first caption of each image or shot of a clip."""
    reader = csv.reader(io.StringIO(text), delimiter=layout.delimiter)
    next(reader)
    try:
        rows = [
            (f"{path}, line {reader.line_num},", layout.cells(values))
            for values in reader
            if any(values)
        ]
    except (ValueError, csv.Error) as error:
        raise CaptionerError(
            f"{path}, line {reader.line_num}, is truncated or damaged ({error}): correct it, or "
            "caption the images again"
        ) from error
    for image, group in groupby(rows, key=lambda row: row[1]["path"]):
        shots: dict[str, Row] = {}
        for place, cells in group:
            caption = cells["caption"].strip()
            row = Row(place, image, (caption,) if caption else ())
            shots.setdefault(cells["start"], row)
        yield from shots.values()


def _tabbed_rows(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number},"
        image, *rest = line.split("\t")
        if len(rest) == 2 and _SPAN.fullmatch(rest[0]):
            rest = rest[1:]  # a shot of a clip
        image = _NUMBER.sub("", unescape_path(image.strip()))
        caption = "\t".join(rest).strip()
        if not rest:
            yield Row(place, "", (), fault="is not image, tab, caption: correct it")
        else:
            yield Row(place, image, (caption,) if caption else ())


def _is_heading(line: str) -> bool:
    """Return True if the first line of a table with tabs is a header."""
    names = [cell.strip().lower() for cell in line.split("\t")]
    return "caption" in names or "captions" in names or "text" in names
