"""A row of a report, and the interface of report writers."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.results import Caption


DECIMALS = 4  # of log-probabilities; further digits are rounding errors of the network
SECONDS_DECIMALS = 3  # of times
CONFIDENCE_DECIMALS = 2  # of confidences; the calibration is not more precise than that


@dataclass(frozen=True)
class Row:
    """A row that an earlier run has written.

    Attributes:
        text: Text of the row, with its line ending.
        path: Path of the described file; empty for a blank row.
        failed: True for an error row.
        part: True for a row about part of a video, of which further rows may be missing.
    """

    text: str
    path: str
    failed: bool = False
    part: bool = False


def encode_row(path: str, *results: "Caption | CaptionerError") -> bytes:
    r"""Encode the results of an image or a video as one line of JSON, without the line feed.

    Args:
        path: Path of the image or video.
        results: Caption of the image, or captions of the video's shots, and the error that
            explains why there are none, or no more.

    Returns:
        UTF-8 with the keys `path`; `caption`; `log_prob`; `confidence` if the preset provides one;
        `uncertain` (true) if the caption is empty because the confidence is too low; `partial`
        (true) if the image file was cut off shortly before its end; and, if there are
        alternatives, `captions`: all of them, the best first. A video has a list `segments` of
        objects with these keys, and `start` and `end` in seconds. An activity has `label`,
        `probability` and `labels` instead. `error` is present only if there is one.

    Example:
        >>> encode_row("é\udcff.jpg", CaptionerError("empty"))
        b'{"path": "\xc3\xa9\\udcff.jpg", "error": "empty"}'
    """
    row: dict[str, Any] = {"path": path}
    for result in results:
        if isinstance(result, CaptionerError):
            row["error"] = str(result)
        elif result.span is None:
            row.update(_with_alternatives(result))
        else:
            start, end = (round(time, SECONDS_DECIMALS) for time in result.span)
            segment = {"start": start, "end": end, **_with_alternatives(result)}
            row.setdefault("segments", []).append(segment)
    # The replacement of an invalid UTF-8 byte is also JSON's own escape for it.
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _with_alternatives(caption: "Caption") -> dict[str, Any]:
    fields = _fields(caption)
    if caption.alternatives:
        fields["captions" if "caption" in fields else "labels"] = [
            _fields(said) for said in (caption, *caption.alternatives)
        ]
    return fields


def _fields(caption: "Caption") -> dict[str, Any]:
    probability = probability_of(caption)
    if probability is not None:
        return {"label": caption.text, "probability": round(probability, DECIMALS)}
    fields: dict[str, Any] = {
        "caption": caption.text,
        "log_prob": round(float(caption.log_prob), DECIMALS),
    }
    if caption.confidence is not None:
        fields["confidence"] = round(caption.confidence, CONFIDENCE_DECIMALS)
    if caption.uncertain:
        fields["uncertain"] = True
    if caption.partial:
        fields["partial"] = True
    return fields


def probability_of(caption: "Caption") -> float | None:
    """Return the probability of a label, or None for a caption, without importing its class."""
    probability: float | None = getattr(caption, "probability", None)
    return probability


class Writer(Protocol):
    """Writes the results of one image or video after another to a binary stream.

    Paths that are not valid UTF-8 have surrogate escapes (PEP 383), as Python decodes them.
    """

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """Write one result at once and flush it, so that a killed run loses none.

        Args:
            path: Path of the image or video.
            result: Result for it, or for its next shot.
            last: True for the last result of this path.
        """

    def close(self) -> None:
        """End the report; the stream stays open."""
