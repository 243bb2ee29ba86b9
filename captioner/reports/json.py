"""Captions as one JSON document, or as JSON Lines."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.row import Row, encode_row

if TYPE_CHECKING:
    from captioner.results import Caption


class JSONWriter:
    r"""Writes an array with an object for each picture or film, one a line; see `encode_row`.

    Args:
        stream: Where to.

    Example:
        >>> from io import BytesIO
        >>> stream = BytesIO()
        >>> writer = JSONWriter(stream)
        >>> writer.write("dog.jpg", CaptionerError("empty"))
        >>> writer.close()
        >>> stream.getvalue()
        b'[\n{"path": "dog.jpg", "error": "empty"}\n]\n'
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._before = b"[\n"
        self._results: list[Caption | CaptionerError] = []

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`; a film is written once its last shot is known."""
        self._results.append(result)
        if last:
            self._stream.write(self._before + encode_row(path, *self._results))
            self._stream.flush()
            self._results.clear()
            self._before = b",\n"

    def close(self) -> None:
        """See `Writer`: closes the array."""
        self._stream.write(b"[]\n" if self._before == b"[\n" else b"\n]\n")
        self._stream.flush()


class JSONLinesWriter:
    r"""Writes a JSON object on a line of its own for each picture or film; see `encode_row`.

    Args:
        stream: Where to.

    Example:
        >>> from io import BytesIO
        >>> stream = BytesIO()
        >>> JSONLinesWriter(stream).write("dog.jpg", CaptionerError("empty"))
        >>> stream.getvalue()
        b'{"path": "dog.jpg", "error": "empty"}\n'
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._results: list[Caption | CaptionerError] = []

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`; a film is written once its last shot is known."""
        self._results.append(result)
        if last:
            self._stream.write(encode_row(path, *self._results) + b"\n")
            self._stream.flush()
            self._results.clear()

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
                if not line.startswith("{"):
                    raise ValueError("no object")
                return
            row = json.loads(line)
            if not (isinstance(row, dict) and isinstance(row.get("path"), str)):
                raise ValueError("no path")
            if not {"caption", "segments", "label", "error"} & set(row):
                raise ValueError("neither caption nor error")
            yield Row(line, row["path"], failed="error" in row)
