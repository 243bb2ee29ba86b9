"""CSV reports, including those that a spreadsheet program has rewritten."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.row import CONFIDENCE_DECIMALS, DECIMALS, SECONDS_DECIMALS, Row

if TYPE_CHECKING:
    from captioner.results import Caption


COLUMNS = ("path", "start", "end", "caption", "log_prob", "confidence", "error")
_NEEDED = set(COLUMNS) - {"confidence"}  # reports of earlier versions have no confidence
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # prefixes that spreadsheets evaluate as formulas


@dataclass(frozen=True)
class CSVLayout:
    r"""The columns, delimiter and line endings of a table.

    Attributes:
        columns: Names of the columns, in order; columns that `captioner` does not know stay empty.
        delimiter: Delimiter between cells.
        newline: Line ending of each row.

    Example:
        >>> layout = CSVLayout.parse("\ufeffpath;start;end;caption;log_prob;error;checked\r\n")
        >>> layout.format({"path": "a;b.jpg", "caption": "a dog", "log_prob": -1.5})
        '"a;b.jpg";;;a dog;-1.5;;\r\n'
    """

    columns: tuple[str, ...] = COLUMNS
    delimiter: str = ","
    newline: str = "\n"

    @classmethod
    def parse(cls, header: str) -> "CSVLayout":
        """Parse a header, which may have a byte order mark, CRLF line endings or extra columns.

        Raises:
            ValueError: If it is not the header of a report.
        """
        line = header.removeprefix("\ufeff").rstrip("\r\n")
        for delimiter in ",;\t":
            columns = next(csv.reader([line], delimiter=delimiter), [])
            if set(columns) >= _NEEDED:
                newline = "\r\n" if header.endswith("\r\n") else "\n"
                return cls(tuple(columns), delimiter, newline)
        raise ValueError(f"its first line does not have all columns {', '.join(COLUMNS)}")

    @property
    def header(self) -> str:
        """The first line of the table: the names of the columns."""
        return self.format(dict(zip(self.columns, self.columns, strict=True)))

    def format(self, cells: Mapping[str, object]) -> str:
        """Format a row, with an apostrophe before any text that a spreadsheet would evaluate."""
        values = (cells.get(name, "") for name in self.columns)
        row = io.StringIO()
        # With this line terminator, Python also quotes carriage returns.
        writer = csv.writer(row, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerow([_guarded(value) if isinstance(value, str) else value for value in values])
        return row.getvalue().removesuffix("\r\n") + self.newline

    def cells(self, values: list[str]) -> dict[str, str]:
        """Return the cells of a parsed row by column name.

        Raises:
            ValueError: If cells are missing.
        """
        if len(values) < len(self.columns):
            raise ValueError(f"a row has {len(values)} cells, not {len(self.columns)}")
        cells = dict(zip(self.columns, values, strict=False))
        return {**cells, "path": _without_guard(cells["path"])}


def _guarded(text: str) -> str:
    """Escape formulas (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def _without_guard(text: str) -> str:
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text


class CSVWriter:
    r"""Writes a row for each caption, alternatives included.

    The columns are path, start, end, caption, log_prob, confidence and error; start and end are
    the seconds of a video's shot.

    Fields are quoted where RFC 4180 requires it; rows end in a line feed only, as Unix tools
    expect. Any text that a spreadsheet would evaluate as a formula gets an apostrophe before it.

    Args:
        stream: Output stream.
        header: Header of the report that is resumed, whose columns, delimiter and line endings
            are kept; empty for a new report.

    Example:
        >>> from io import BytesIO
        >>> stream = BytesIO()
        >>> CSVWriter(stream).write("a,b.jpg", CaptionerError("empty"))
        >>> stream.getvalue()
        b'path,start,end,caption,log_prob,confidence,error\n"a,b.jpg",,,,,,empty\n'
    """

    def __init__(self, stream: BinaryIO, *, header: str = "") -> None:
        self._stream = stream
        self._layout = CSVLayout.parse(header) if header else CSVLayout()
        if not header:
            self._write(self._layout.header)

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`."""
        if isinstance(result, CaptionerError):
            self._write(self._layout.format({"path": path, "error": str(result)}))
            return
        cells: dict[str, Any] = {"path": path}
        if result.span is not None:
            cells["start"], cells["end"] = (round(x, SECONDS_DECIMALS) for x in result.span)
        self._write(
            "".join(
                self._layout.format({**cells, **_said(caption)})
                for caption in (result, *result.alternatives)
            )
        )

    def close(self) -> None:
        """Do nothing; see `Writer`."""

    def _write(self, rows: str) -> None:
        self._stream.write(rows.encode("utf-8", "surrogateescape"))
        self._stream.flush()

    @staticmethod
    def read_header(lines: Iterator[str]) -> str:
        """See `resume_report`."""
        header = next(lines, "")
        if CSVLayout().header.startswith(header) and not header.endswith("\n"):
            return ""  # a killed run wrote only part of it: it is written again
        CSVLayout.parse(header)
        return header

    @staticmethod
    def read(lines: Iterable[str], header: str) -> Iterator[Row]:
        """See `resume_report`; a quoted path may span several lines."""
        consumed: list[str] = []

        def record() -> Iterator[str]:
            for line in lines:
                consumed.append(line)
                yield line

        layout = CSVLayout.parse(header) if header else CSVLayout()
        for values in csv.reader(record(), delimiter=layout.delimiter):
            text = "".join(consumed)
            consumed.clear()
            if not text.endswith("\n") or _open_quote(text):
                return
            if not any(values):  # an empty row of a spreadsheet
                yield Row(text, "")
                continue
            cells = layout.cells(values)
            yield Row(text, cells["path"], failed=bool(cells["error"]), part=bool(cells["start"]))


def _said(caption: "Caption") -> dict[str, object]:
    cells: dict[str, object] = {
        "caption": caption.text,
        "log_prob": round(float(caption.log_prob), DECIMALS),
    }
    if caption.confidence is not None:
        cells["confidence"] = round(caption.confidence, CONFIDENCE_DECIMALS)
    return cells


def _open_quote(text: str) -> bool:
    return text.count('"') % 2 == 1
