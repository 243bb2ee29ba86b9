"""One result as a JSON object."""

import json
from typing import TYPE_CHECKING, Any

from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.caption import Caption

DECIMALS = 4  # of log-probabilities: more are rounding errors of the network


def encode_row(path: str, result: "Caption | CaptionerError") -> bytes:
    r"""Writes a result as a JSON object on one line, without the end of the line.

    Args:
        path: The picture's.
        result: A caption, or the error that says why there is none.

    Returns:
        UTF-8 with the keys `path` and `error`; or `path`, `caption`, `log_prob`, and, where there
        are alternatives, `captions`: all of them, the best first.

    Example:
        >>> encode_row("é\udcff.jpg", CaptionerError("empty"))
        b'{"path": "\xc3\xa9\\udcff.jpg", "error": "empty"}'
    """
    row: dict[str, Any] = {"path": path}
    if isinstance(result, CaptionerError):
        row["error"] = str(result)
    else:
        row.update(_fields(result))
        if result.alternatives:
            row["captions"] = [_fields(caption) for caption in (result, *result.alternatives)]
    # What replaces a byte that was not UTF-8 is at once JSON's own escape for it.
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _fields(caption: "Caption") -> dict[str, Any]:
    return {"caption": caption.text, "log_prob": round(float(caption.log_prob), DECIMALS)}
