"""The columns of a CSV report, and how a spreadsheet may have written them."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

COLUMNS = ("path", "start", "end", "caption", "log_prob", "confidence", "error")
_NEEDED = set(COLUMNS) - {"confidence"}  # which reports of earlier versions do not have
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # beginnings that spreadsheets run


@dataclass(frozen=True)
class CSVLayout:
    r"""How rows of a table are written.

    Attributes:
        columns: Their names, in order; what `captioner` does not know stays empty.
        delimiter: Between cells.
        newline: At the end of rows.

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
        """Recognize a header, with a byte order mark, other ends of lines, or further columns.

        Raises:
            ValueError: It is not the header of a report.
        """
        line = header.removeprefix("\ufeff").rstrip("\r\n")
        for delimiter in ",;\t":
            columns = next(csv.reader([line], delimiter=delimiter), [])
            if set(columns) >= _NEEDED:
                newline = "\r\n" if header.endswith("\r\n") else "\n"
                return cls(tuple(columns), delimiter, newline)
        raise ValueError(f"its first line lacks columns of {', '.join(COLUMNS)}")

    @property
    def header(self) -> str:
        """The names of the columns, as the first line of a table."""
        return self.format(dict(zip(self.columns, self.columns, strict=True)))

    def format(self, cells: Mapping[str, object]) -> str:
        """Write a row; a text that a spreadsheet would run has an apostrophe before it."""
        values = (cells.get(name, "") for name in self.columns)
        row = io.StringIO()
        # This end of rows makes Python quote carriage returns, too.
        writer = csv.writer(row, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerow([_guarded(value) if isinstance(value, str) else value for value in values])
        return row.getvalue().removesuffix("\r\n") + self.newline

    def cells(self, values: list[str]) -> dict[str, str]:
        """Name the cells of a row that was read.

        Raises:
            ValueError: Some are missing.
        """
        if len(values) < len(self.columns):
            raise ValueError(f"a row has {len(values)} cells, not {len(self.columns)}")
        cells = dict(zip(self.columns, values, strict=False))
        return {**cells, "path": _without_guard(cells["path"])}


def _guarded(text: str) -> str:
    """Return the text, kept from being a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def _without_guard(text: str) -> str:
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text
