"""Resuming a report that an earlier run began."""

import csv
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

from captioner.errors import CaptionerError
from captioner.replacing import replacing
from captioner.reports.csv import CSVWriter
from captioner.reports.json import JSONLinesWriter
from captioner.reports.row import Row
from captioner.reports.text import TextWriter, check_is_report

_READERS: dict[str, type[TextWriter | JSONLinesWriter | CSVWriter]] = {
    "text": TextWriter,
    "jsonl": JSONLinesWriter,
    "csv": CSVWriter,
}


@dataclass(frozen=True)
class Resumed:
    """A report that is ready to be resumed.

    Attributes:
        header: Header of a table; empty in other formats, and if it still has to be written.
        paths: Paths of the described files, as the rows spell them.
    """

    header: str
    paths: list[str]


def resume_report(
    path: Path,
    format_name: str,
    *,
    complete: Collection[str] = (),
    renewed: Mapping[str, int] | None = None,
    recorded: bool = False,
) -> Resumed:
    r"""Prepare a report for resuming, and return the files that it describes.

    Error rows are removed, so that their files are tried again, and so is a truncated last row of
    a killed run. If there are rows to remove, the file is replaced atomically; all other rows stay
    byte for byte, even if they were edited by hand.

    A video whose rows end the file may lack rows, unless it has a single row, as in JSONL, or is
    known to be complete. Its rows are removed, too.

    `read_header` and `read` of each format's writer return the header and yield every `Row`;
    `read` omits a truncated last row. Both raise a ValueError for content that `caption` did not
    write.

    Args:
        path: Path of a file that is not empty.
        format_name: "text", "jsonl" or "csv".
        complete: Paths, as in the rows, of completely described files.
        renewed: Number of last rows to keep, by path, for files that were described again.
        recorded: True if the report has a record, so that it is known to be a report.

    Raises:
        CaptionerError: If the file is not such a report; it stays unchanged.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = Path(folder, "captions.jsonl")
        ...     row = '{"path": "dog.jpg", "caption": "a dog"}'
        ...     _ = report.write_text(row + '\n{"path": "cat.j')
        ...     resume_report(report, "jsonl").paths, report.read_text() == row + '\n'
        (['dog.jpg'], True)
    """
    try:
        if format_name == "text" and not recorded:
            with _open(path) as lines:
                check_is_report(lines)
        with _rows(path, format_name) as (header, found):
            # Do not hold all texts of a long report in memory.
            sizes, rows = [len(_encode(header))], []
            for row in found:
                sizes.append(len(_encode(row.text)))
                rows.append(Row("", row.path, row.failed, row.part))
    except (ValueError, csv.Error) as error:
        raise CaptionerError(
            f"{path} is not a caption report in {format_name} ({error}): name another file"
        ) from error
    dropped = _unfinished(rows, complete) | _superseded(rows, renewed or {})
    if dropped or sum(sizes) < path.stat().st_size:
        _rewrite(path, format_name, dropped)
    paths = dict.fromkeys(row.path for i, row in enumerate(rows) if i not in dropped and row.path)
    return Resumed(header, list(paths))


def drop_superseded(path: Path, format_name: str, renewed: Mapping[str, int]) -> None:
    """Remove the older rows of files that were described again from a report.

    Args:
        path: Path of a report that `resume_report` has accepted.
        format_name: Format of the report.
        renewed: The same as for `resume_report`.
    """
    with _rows(path, format_name) as (_, found):
        rows = [Row("", row.path) for row in found]
    _rewrite(path, format_name, _superseded(rows, renewed))


def _unfinished(rows: list[Row], complete: Collection[str]) -> set[int]:
    dropped: set[int] = set()
    earlier: set[str] = set()
    index = 0
    for path, same in groupby(rows, key=lambda row: row.path):
        group = list(same)
        end = index + len(group)
        may_go_on = end == len(rows) and path not in complete and path not in earlier
        if any(row.failed or (may_go_on and row.part) for row in group):
            dropped.update(range(index, end))
        earlier.add(path)
        index = end
    return dropped


def _superseded(rows: list[Row], renewed: Mapping[str, int]) -> set[int]:
    of_file: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if row.path in renewed:
            of_file.setdefault(row.path, []).append(index)
    return {i for path, indexes in of_file.items() for i in indexes[: -renewed[path]]}


def _rewrite(path: Path, format_name: str, dropped: set[int]) -> None:
    with (
        replacing(path) as partial,
        _rows(path, format_name) as (header, rows),
        partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as kept,
    ):
        partial.chmod(path.stat().st_mode & 0o777)  # before private content is written
        kept.write(header)
        kept.writelines(row.text for index, row in enumerate(rows) if index not in dropped)


@contextmanager
def _rows(path: Path, format_name: str) -> Iterator[tuple[str, Iterator[Row]]]:
    reader = _READERS[format_name]
    with _open(path) as lines:
        header = reader.read_header(lines)
        yield header, reader.read(lines, header)


def _open(path: Path) -> IO[str]:
    # Only line feeds end lines, because a carriage return may be part of a path.
    return path.open(encoding="utf-8", errors="surrogateescape", newline="\n")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
