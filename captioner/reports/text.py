"""Captions as lines of text, without control characters."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.media.files import is_media
from captioner.reports.row import DECIMALS, Row, probability_of

if TYPE_CHECKING:
    from captioner.results import Caption


def format_time(seconds: float, decimals: int = 1, point: str = ".", hour_digits: int = 1) -> str:
    """Format a time as hours, minutes and seconds.

    Example:
        >>> format_time(3725.25), format_time(59.9996, decimals=3, point=",", hour_digits=2)
        ('1:02:05.3', '00:01:00,000')
    """
    # Round half up to the nearest tenth or thousandth: 59.96 is 1:00.0, not 0:60.0.
    units = int(seconds * 10**decimals + 0.5)
    whole, fraction = divmod(units, 10**decimals)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:0{hour_digits}}:{minute:02}:{second:02}{point}{fraction:0{decimals}}"


# Controls of ASCII and ISO 8859-1, line separators, and marks that change the text direction.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_ESCAPES = re.compile(r"\\(?:[\\tnr]|x[0-9a-f]{2}|u[0-9a-f]{4})")
_LONG = {escape: control for control, escape in _SHORT.items()} | {r"\\": "\\"}
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # as Python decodes such bytes (PEP 383)


def escape_controls(text: str, *, keep: str = "") -> str:
    r"""Replace control characters by escapes, as in source code.

    Args:
        text: Any text.
        keep: Control characters that are kept.

    Example:
        >>> print(escape_controls("red: \x1b[31m, tab: \t"))
        red: \x1b[31m, tab: \t
    """

    def escape(match: re.Match[str]) -> str:
        control = match[0]
        if control in keep:
            return control
        code = ord(control)
        return _SHORT.get(control) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")

    return _CONTROLS.sub(escape, text)


def escape_path(path: str) -> str:
    r"""Escape the control characters of a path, so that `unescape_path` restores it.

    A backslash is doubled, except on Windows, where it separates folders and where file names have
    no control characters.

    Example:
        >>> escape_path("a\nb.jpg")
        'a\\nb.jpg'
    """
    return path if os.sep == "\\" else escape_controls(path.replace("\\", r"\\"))


def unescape_path(text: str) -> str:
    r"""Restore a path that `escape_path` has escaped.

    Example:
        >>> unescape_path("a\\nb.jpg")
        'a\nb.jpg'
    """
    if os.sep == "\\":
        return text
    return _ESCAPES.sub(lambda match: _LONG.get(match[0]) or chr(int(match[0][2:], 16)), text)


class TerminalStream:
    r"""A binary stream to a terminal that escapes control characters except tabs and line feeds.

    Captions and file names are untrusted, and a terminal would obey control sequences in them.

    Args:
        stream: Output stream.

    Example:
        >>> from io import BytesIO
        >>> stream = BytesIO()
        >>> TerminalStream(stream).write(b"\x1b[2Jdog.jpg\ta dog\n")
        >>> stream.getvalue()
        b'\\x1b[2Jdog.jpg\ta dog\n'
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        """Write UTF-8; other bytes are escaped."""
        text = escape_controls(data.decode("utf-8", "surrogateescape"), keep="\t\n")
        text = _NOT_UTF8.sub(lambda match: f"\\x{ord(match[0]) - 0xDC00:02x}", text)
        self._stream.write(text.encode())

    def flush(self) -> None:
        """Flush the underlying stream."""
        self._stream.flush()


_UNCERTAIN = "no confident description"
_SPAN = re.compile(r"\d+:\d\d:\d\d\.\d-\d+:\d\d:\d\d\.\d")


class TextWriter:
    r"""Writes a line for each caption, alternatives included: path, tab, caption.

    A shot's caption follows its span: path, tab, start-end, tab, caption. A label is followed by
    its probability.

    Control characters, tabs and line endings are escaped (`\t`), and so is a backslash in a path.
    Errors are not written; the caller reports them elsewhere.

    Args:
        stream: Output stream.
        show_path: If True, the path and the tab are written.

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
        """Do nothing; see `Writer`."""

    @staticmethod
    def read_header(lines: Iterator[str]) -> str:
        """Return an empty string, because there is no header; see `resume_report`."""
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
    """Check that a file without a record is a report, and not another table with two columns.

    Raises:
        ValueError: If a path neither has an image or video suffix nor exists, or if the last line
            has no line ending, because that line would be lost.
    """
    for line in lines:
        if not line.endswith("\n"):
            raise ValueError("its last line has no line ending: complete or delete that line")
        path = unescape_path(line.partition("\t")[0])
        if not (is_media(path) or os.path.lexists(path)):  # it may be a folder of frames
            raise ValueError(f"this line does not name an image or a video: {line[:80]!r}")


def _line(said: "Caption") -> str:
    if said.uncertain:
        return _UNCERTAIN
    probability = probability_of(said)
    text = escape_controls(said.text)
    return text if probability is None else f"{text} {probability:.{DECIMALS}f}"
