"""Captions as JSON Lines."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.row import encode_row

if TYPE_CHECKING:
    from captioner.caption import Caption


class JSONLinesWriter:
    r"""Writes a JSON object on a line of its own for each picture; see `encode_row`.

    Args:
        stream: Where to.

    Example:
        >>> from io import BytesIO
        >>> stream = BytesIO()
        >>> JSONLinesWriter(stream).write("dog.jpg", CaptionerError("empty"))
        >>> stream.getvalue()
        b'{"path": "dog.jpg", "error": "empty"}\n'
    """

    header = ""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, path: str, result: "Caption | CaptionerError") -> None:
        """See `Writer`."""
        self._stream.write(encode_row(path, result) + b"\n")
        self._stream.flush()

    def close(self) -> None:
        """See `Writer`: there is nothing to add."""

    @staticmethod
    def read(lines: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """See `resume_report`."""
        for line in lines:
            if not line.endswith("\n"):
                if not line.startswith("{"):
                    raise ValueError("no object")
                return
            row = json.loads(line)
            if not (isinstance(row, dict) and isinstance(row.get("path"), str)):
                raise ValueError("no path")
            if not ("caption" in row or "error" in row):
                raise ValueError("neither caption nor error")
            yield line, row["path"] if "caption" in row else None
