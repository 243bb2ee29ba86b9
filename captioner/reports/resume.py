"""Going on with a report that an earlier run began."""

import csv
import os
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import IO

from captioner.errors import CaptionerError
from captioner.reports.csv import CSVWriter
from captioner.reports.jsonl import JSONLinesWriter
from captioner.reports.row import Row
from captioner.reports.text import TextWriter

_READERS: dict[str, type[TextWriter | JSONLinesWriter | CSVWriter]] = {
    "text": TextWriter,
    "jsonl": JSONLinesWriter,
    "csv": CSVWriter,
}


def resume_report(path: Path, format_name: str) -> set[str]:
    r"""Makes a report ready to be gone on with, and tells what it describes.

    Rows of errors are taken out, so that their files can be tried again, and so is a last row
    that a kill has cut short. The file is replaced as a whole, or stays as it was.

    Of a film whose rows end the file, more may be missing, unless all of it is one row, as in
    JSONL: it, too, is taken out.

    The `read` of each format's writer yields every `Row`; it leaves out a last row that was cut
    short, and raises a ValueError for what `caption` did not write.

    Args:
        path: A file that is not empty.
        format_name: "text", "jsonl" or "csv".

    Returns:
        The absolute paths of the pictures and films that have captions.

    Raises:
        CaptionerError: If the file is something else than such a report.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = Path(folder, "captions.jsonl")
        ...     row = '{"path": "/dog.jpg", "caption": "a dog"}'
        ...     _ = report.write_text(row + '\n{"path": "/cat.j')
        ...     resume_report(report, "jsonl"), report.read_text() == row + '\n'
        ({'/dog.jpg'}, True)
    """
    path = path.resolve()  # a link stays one
    writer = _READERS[format_name]
    described = set()
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with _open(path, "r") as old, _open(partial, "w") as kept:
            if old.read(len(writer.header)) != writer.header:
                raise ValueError("another header")
            kept.write(writer.header)
            films = groupby(writer.read(old), key=lambda row: row.path)
            for name, rows, is_last in _mark_last((name, list(rows)) for name, rows in films):
                if any(row.failed or (is_last and row.part) for row in rows):
                    continue
                kept.writelines(row.text for row in rows)
                described.add(os.path.abspath(name))  # noqa: PTH100
        shutil.copymode(path, partial)
        partial.replace(path)
    except (ValueError, csv.Error) as error:
        raise CaptionerError(
            f"{path} is no report of captions in {format_name}: choose another file, or --overwrite"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return described


def _mark_last(
    groups: Iterator[tuple[str, list[Row]]],
) -> Iterator[tuple[str, list[Row], bool]]:
    before = next(groups, None)
    while before is not None:
        group = next(groups, None)
        yield *before, group is None
        before = group


def _open(path: Path, mode: str) -> IO[str]:
    # Line feeds alone end lines: a carriage return may be part of a path.
    return path.open(mode, encoding="utf-8", errors="surrogateescape", newline="\n")
