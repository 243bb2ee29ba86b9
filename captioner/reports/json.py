"""Reports in JSON and JSON Lines."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.row import Row, encode_row

if TYPE_CHECKING:
    from captioner.results import Caption


class JSONWriter:
    r"""Writes an array of objects, one line for each image or video; see `encode_row`.

    Args:
        stream: Output stream.

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
        """See `Writer`; a video is written after its last shot."""
        self._results.append(result)
        if last:
            self._stream.write(self._before + encode_row(path, *self._results))
            self._stream.flush()
            self._results.clear()
            self._before = b",\n"

    def close(self) -> None:
        """Close the array; see `Writer`."""
        self._stream.write(b"[]\n" if self._before == b"[\n" else b"\n]\n")
        self._stream.flush()


class JSONLinesWriter:
    r"""Writes a line with a JSON object for each image or video; see `encode_row`.

    Args:
        stream: Output stream.

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
        """See `Writer`; a video is written after its last shot."""
        self._results.append(result)
        if last:
            self._stream.write(encode_row(path, *self._results) + b"\n")
            self._stream.flush()
            self._results.clear()

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
                if not line.startswith("{"):
                    raise ValueError("a line is not a JSON object")
                return
            row = json.loads(line)
            if not (isinstance(row, dict) and isinstance(row.get("path"), str)):
                raise ValueError("a row has no path")
            if not {"caption", "segments", "label", "error"} & set(row):
                raise ValueError("a row has neither a caption nor an error")
            yield Row(line, row["path"], failed="error" in row)
