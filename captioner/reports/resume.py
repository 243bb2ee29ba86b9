"""Going on with a report that an earlier run began."""

import csv
import os
import shutil
from pathlib import Path
from typing import IO

from captioner.errors import CaptionerError
from captioner.reports.csv import CSVWriter
from captioner.reports.jsonl import JSONLinesWriter
from captioner.reports.text import TextWriter

_READERS: dict[str, type[TextWriter | JSONLinesWriter | CSVWriter]] = {
    "text": TextWriter,
    "jsonl": JSONLinesWriter,
    "csv": CSVWriter,
}


def resume_report(path: Path, format_name: str) -> set[str]:
    r"""Makes a report ready to be gone on with, and tells which pictures it describes.

    Rows of errors are taken out, so that their pictures can be tried again, and so is a last row
    that a kill has cut short. The file is replaced as a whole, or stays as it was.

    The `read` of each format's writer yields every row as it stands, and its path, or None for the
    path of an error; it leaves out a last row that was cut short, and raises a ValueError for what
    `caption` did not write.

    Args:
        path: A file that is not empty.
        format_name: "text", "jsonl" or "csv".

    Returns:
        The absolute paths of the pictures that have captions.

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
            for row, picture in writer.read(old):
                if picture is not None:
                    kept.write(row)
                    described.add(os.path.abspath(picture))  # noqa: PTH100
        shutil.copymode(path, partial)
        partial.replace(path)
    except (ValueError, csv.Error) as error:
        raise CaptionerError(
            f"{path} is no report of captions in {format_name}: choose another file, or --overwrite"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return described


def _open(path: Path, mode: str) -> IO[str]:
    # Line feeds alone end lines: a carriage return may be part of a path.
    return path.open(mode, encoding="utf-8", errors="surrogateescape", newline="\n")
