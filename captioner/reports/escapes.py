"""Names and captions without control characters, for lines of text and for terminals."""

import os
import re
from typing import BinaryIO

# Those of ASCII and of ISO 8859-1, ends of lines, and those that turn the direction of writing.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_ESCAPES = re.compile(r"\\(?:[\\tnr]|x[0-9a-f]{2}|u[0-9a-f]{4})")
_LONG = {escape: control for control, escape in _SHORT.items()} | {r"\\": "\\"}
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # as Python decodes such bytes (PEP 383)


def escape_controls(text: str, *, keep: str = "") -> str:
    r"""Write control characters as a programmer does.

    Args:
        text: Anything.
        keep: Control characters that stay.

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
    r"""Write a path without control characters, so that `unescape_path` gives it back.

    A backslash is doubled, except on Windows, where it separates folders, and where names have no
    control characters.

    Example:
        >>> escape_path("a\nb.jpg")
        'a\\nb.jpg'
    """
    return path if os.sep == "\\" else escape_controls(path.replace("\\", r"\\"))


def unescape_path(text: str) -> str:
    r"""Read what `escape_path` has written.

    Example:
        >>> unescape_path("a\\nb.jpg")
        'a\nb.jpg'
    """
    if os.sep == "\\":
        return text
    return _ESCAPES.sub(lambda match: _LONG.get(match[0]) or chr(int(match[0][2:], 16)), text)


class TerminalStream:
    r"""A binary stream to a terminal, which gets no control characters but tabs and line feeds.

    Captions and names of files come from elsewhere, and a terminal obeys what is in them.

    Args:
        stream: Where to.

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
        """Pass on what was written."""
        self._stream.flush()
