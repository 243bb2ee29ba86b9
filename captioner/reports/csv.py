"""Captions as a table with commas."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.row import DECIMALS, SECONDS_DECIMALS, Row

if TYPE_CHECKING:
    from captioner.caption import Caption


_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # beginnings that spreadsheets run


class CSVWriter:
    r"""Writes a row for each caption, alternatives included.

    Its columns are path, start, end, caption, log_prob and error; start and end are those of a
    film's shot, in seconds.

    Fields are quoted where RFC 4180 asks for it; rows end in a line feed alone, as Unix tools
    expect. A text that a spreadsheet would run as a formula has an apostrophe before it.

    Args:
        stream: Where to.
        header: Whether the names of the columns are written first.

    Example:
        >>> from io import BytesIO
        >>> stream = BytesIO()
        >>> CSVWriter(stream).write("a,b.jpg", CaptionerError("empty"))
        >>> stream.getvalue()
        b'path,start,end,caption,log_prob,error\n"a,b.jpg",,,,,empty\n'
    """

    header = "path,start,end,caption,log_prob,error\n"

    def __init__(self, stream: BinaryIO, *, header: bool = True) -> None:
        self._stream = stream
        if header:
            self._stream.write(self.header.encode())
            self._stream.flush()

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`."""
        if isinstance(result, CaptionerError):
            rows = _format(path, "", "", "", "", str(result))
        else:
            start, end = (
                (round(x, SECONDS_DECIMALS) for x in result.span) if result.span else ("", "")
            )
            rows = "".join(
                _format(path, start, end, said.text, round(float(said.log_prob), DECIMALS), "")
                for said in (result, *result.alternatives)
            )
        self._stream.write(rows.encode("utf-8", "surrogateescape"))
        self._stream.flush()

    def close(self) -> None:
        """See `Writer`: there is nothing to add."""

    @staticmethod
    def read(lines: Iterable[str]) -> Iterator[Row]:
        """See `resume_report`; a quoted path may run over several lines."""
        consumed: list[str] = []

        def record() -> Iterator[str]:
            for line in lines:
                consumed.append(line)
                yield line

        table = csv.reader(record())
        for fields in table:
            text = "".join(consumed)
            consumed.clear()
            if not text.endswith("\n") or _open_quote(text):
                return
            path, start, _, _, _, error = fields
            yield Row(text, _without_guard(path), failed=bool(error), part=bool(start))


def _format(*fields: object) -> str:
    row = io.StringIO()
    fields = tuple(_guarded(field) if isinstance(field, str) else field for field in fields)
    # Its own end of rows makes Python quote carriage returns, too.
    csv.writer(row, lineterminator="\r\n").writerow(fields)
    return row.getvalue().removesuffix("\r\n") + "\n"


def _guarded(text: str) -> str:
    """The text, kept from being a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def _without_guard(text: str) -> str:
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text


def _open_quote(text: str) -> bool:
    return text.count('"') % 2 == 1
