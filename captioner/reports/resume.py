"""Going on with a report that an earlier run began."""

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
    """A report that is ready to be continued.

    Attributes:
        header: Of a table; empty in other formats, and where it is still to be written.
        paths: What the report describes, as its rows spell it.
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
    r"""Make a report ready to be continued, and tells what it describes.

    Rows of errors are taken out, so that their files can be tried again, and so is a last row
    that a kill has cut short. Where there is something to take out, the file is replaced as a
    whole; all other rows stay byte for byte, whoever has edited them.

    Of a film whose rows end the file, more may be missing, unless all of it is one row, as in
    JSONL, or it is known to be complete: it, too, is taken out.

    `read_header` and `read` of each format's writer yield the header and every `Row`; `read` leaves
    out a last row that was cut short. Both raise a ValueError for what `caption` did not write.

    Args:
        path: A file that is not empty.
        format_name: "text", "jsonl" or "csv".
        complete: Paths, as in the rows, of files that are described to their end.
        renewed: Of files that were described anew, the number of the last rows that stay.
        recorded: Whether the report has a record, and is thus known to be one.

    Raises:
        CaptionerError: If the file is something else than such a report; it stays as it is.

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
            # The texts of a long report need not be in memory all at once.
            sizes, rows = [len(_encode(header))], []
            for row in found:
                sizes.append(len(_encode(row.text)))
                rows.append(Row("", row.path, row.failed, row.part))
    except (ValueError, csv.Error) as error:
        raise CaptionerError(
            f"{path} is no report of captions in {format_name} ({error}): name another file"
        ) from error
    dropped = _unfinished(rows, complete) | _superseded(rows, renewed or {})
    if dropped or sum(sizes) < path.stat().st_size:
        _rewrite(path, format_name, dropped)
    paths = dict.fromkeys(row.path for i, row in enumerate(rows) if i not in dropped and row.path)
    return Resumed(header, list(paths))


def drop_superseded(path: Path, format_name: str, renewed: Mapping[str, int]) -> None:
    """Take the older rows of files that were described anew out of a report.

    Args:
        path: A report that `resume_report` has accepted.
        format_name: Its format.
        renewed: As for `resume_report`.
    """
    with _rows(path, format_name) as (_, found):
        rows = [Row("", row.path) for row in found]
    _rewrite(path, format_name, _superseded(rows, renewed))


def _unfinished(rows: list[Row], complete: Collection[str]) -> set[int]:
    dropped: set[int] = set()
    earlier: set[str] = set()
    index = 0
    for path, film in groupby(rows, key=lambda row: row.path):
        group = list(film)
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
        partial.chmod(path.stat().st_mode & 0o777)  # before anything private is in it
        kept.write(header)
        kept.writelines(row.text for index, row in enumerate(rows) if index not in dropped)


@contextmanager
def _rows(path: Path, format_name: str) -> Iterator[tuple[str, Iterator[Row]]]:
    reader = _READERS[format_name]
    with _open(path) as lines:
        header = reader.read_header(lines)
        yield header, reader.read(lines, header)


def _open(path: Path) -> IO[str]:
    # Line feeds alone end lines: a carriage return may be part of a path.
    return path.open(encoding="utf-8", errors="surrogateescape", newline="\n")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
