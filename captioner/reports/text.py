"""Captions as lines of text."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.row import DECIMALS, Row, probability_of
from captioner.reports.timestamp import format_time

if TYPE_CHECKING:
    from captioner.caption import Caption

_UNCERTAIN = "no confident description"
_SHOT = re.compile(r"(.*)\t\d+:\d\d:\d\d\.\d-\d+:\d\d:\d\d\.\d", re.DOTALL)


class TextWriter:
    r"""Writes a line for each caption, alternatives included: path, tab, caption.

    That of a shot has its span before it: path, tab, start-end, tab, caption. A label has its
    probability behind it.

    An error takes no line; whoever calls says it elsewhere.

    Args:
        stream: Where to.
        show_path: Whether the path and the tab are written.

    Example:
        >>> from io import BytesIO
        >>> from captioner.caption import Caption
        >>> stream = BytesIO()
        >>> TextWriter(stream).write("dog.jpg", Caption("a dog", ("a", "dog"), -1.0, -0.6))
        >>> stream.getvalue()
        b'dog.jpg\ta dog\n'
    """

    header = ""

    def __init__(self, stream: BinaryIO, *, show_path: bool = True) -> None:
        self._stream = stream
        self._show_path = show_path

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`."""
        if isinstance(result, CaptionerError):
            return
        start = f"{path}\t" if self._show_path else ""
        if result.span is not None:
            start += "-".join(map(format_time, result.span)) + "\t"
        lines = "".join(f"{start}{_line(said)}\n" for said in (result, *result.alternatives))
        self._stream.write(lines.encode("utf-8", "surrogateescape"))
        self._stream.flush()

    def close(self) -> None:
        """See `Writer`: there is nothing to add."""

    @staticmethod
    def read(lines: Iterable[str]) -> Iterator[Row]:
        """See `resume_report`; a path may itself contain tabs or ends of lines."""
        row, before = "", False
        for line in lines:
            row += line
            path, tab, _ = row.rpartition("\t")
            if tab and row.endswith("\n"):
                of_shot = _SHOT.fullmatch(path)
                yield Row(row, of_shot[1], part=True) if of_shot else Row(row, path)
                row, before = "", True
        if row and ("\n" in row or not ("\t" in row or before)):
            raise ValueError("no tab")


def _line(said: "Caption") -> str:
    if said.uncertain:
        return _UNCERTAIN
    probability = probability_of(said)
    return said.text if probability is None else f"{said.text} {probability:.{DECIMALS}f}"
