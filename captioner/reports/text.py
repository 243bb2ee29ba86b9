"""Captions as lines of text."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.media.files import is_media
from captioner.reports.escapes import escape_controls, escape_path, unescape_path
from captioner.reports.row import DECIMALS, Row, probability_of
from captioner.reports.timestamp import format_time

if TYPE_CHECKING:
    from captioner.results import Caption

_UNCERTAIN = "no confident description"
_SPAN = re.compile(r"\d+:\d\d:\d\d\.\d-\d+:\d\d:\d\d\.\d")


class TextWriter:
    r"""Writes a line for each caption, alternatives included: path, tab, caption.

    That of a shot has its span before it: path, tab, start-end, tab, caption. A label has its
    probability behind it.

    Control characters, tabs and ends of lines are escaped (`\t`), and so is a backslash in a path.
    An error takes no line; whoever calls says it elsewhere.

    Args:
        stream: Where to.
        show_path: Whether the path and the tab are written.

    Example:
        >>> from io import BytesIO
        >>> from captioner.results import Caption
        >>> stream = BytesIO()
        >>> TextWriter(stream).write("dog.jpg", Caption("a dog", ("a", "dog"), -1.0, -0.6))
        >>> stream.getvalue()
        b'dog.jpg\ta dog\n'
    """

    def __init__(self, stream: BinaryIO, *, show_path: bool = True) -> None:
        self._stream = stream
        self._show_path = show_path

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`."""
        if isinstance(result, CaptionerError):
            return
        start = f"{escape_path(path)}\t" if self._show_path else ""
        if result.span is not None:
            start += "-".join(map(format_time, result.span)) + "\t"
        lines = "".join(f"{start}{_line(said)}\n" for said in (result, *result.alternatives))
        self._stream.write(lines.encode("utf-8", "surrogateescape"))
        self._stream.flush()

    def close(self) -> None:
        """See `Writer`: there is nothing to add."""

    @staticmethod
    def read_header(lines: Iterator[str]) -> str:
        """See `resume_report`: there is none."""
        return ""

    @staticmethod
    def read(lines: Iterable[str], header: str) -> Iterator[Row]:
        """See `resume_report`."""
        for line in lines:
            if not line.endswith("\n"):
                return
            path, *rest = line.rstrip("\r\n").split("\t")
            if not (len(rest) == 1 or (len(rest) == 2 and _SPAN.fullmatch(rest[0]))):
                raise ValueError(f"this line is not path, tab, caption: {line[:80]!r}")
            yield Row(line, unescape_path(path), part=len(rest) == 2)


def check_is_report(lines: Iterable[str]) -> None:
    """Tell a report without a record from somebody's table with two columns.

    Raises:
        ValueError: A path names neither an image nor a video by its suffix, nor anything that is
            there; or the last line has no end: of a table it would be lost.
    """
    for line in lines:
        if not line.endswith("\n"):
            raise ValueError("its last line has no end: complete or delete that line")
        path = unescape_path(line.partition("\t")[0])
        if not (is_media(path) or os.path.lexists(path)):  # as a folder of frames does
            raise ValueError(f"this line names no image and no video: {line[:80]!r}")


def _line(said: "Caption") -> str:
    if said.uncertain:
        return _UNCERTAIN
    probability = probability_of(said)
    text = escape_controls(said.text)
    return text if probability is None else f"{text} {probability:.{DECIMALS}f}"
