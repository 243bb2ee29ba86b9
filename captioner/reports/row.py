"""One row of a report, and what every writer of rows has in common."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.results import Caption


DECIMALS = 4  # of log-probabilities: more are rounding errors of the network
SECONDS_DECIMALS = 3  # of times
CONFIDENCE_DECIMALS = 2  # the calibration is no more exact than that


@dataclass(frozen=True)
class Row:
    """A row that an earlier run has written.

    Attributes:
        text: The row as it stands, with the end of its line.
        path: What it is about; empty for a line that is about nothing.
        failed: Whether it is an error.
        part: Whether it is about a part of a film, of which more rows may be missing.
    """

    text: str
    path: str
    failed: bool = False
    part: bool = False


def encode_row(path: str, *results: "Caption | CaptionerError") -> bytes:
    r"""Write what was said about a picture or film as a JSON object on one line, without its end.

    Args:
        path: The picture's or film's.
        results: The caption of the picture, or the captions of the film's shots; and the error
            that says why there is none, or why there are no more.

    Returns:
        UTF-8 with the keys `path`; `caption`, `log_prob`, `confidence` where the preset gives
        one, `uncertain` (true) where the caption is empty because the confidence is too low,
        `partial` (true) where the picture was cut off a little before its end, and, where there
        are alternatives, `captions`: all of them, the best first. A film has a list `segments` of
        objects with these keys, `start` and `end` in seconds. An activity has `label`,
        `probability` and `labels` instead. `error` is there only where there is one.

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
    # What replaces a byte that was not UTF-8 is at once JSON's own escape for it.
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
    """Return the probability of a label, whose class is not imported for it; else None."""
    probability: float | None = getattr(caption, "probability", None)
    return probability


class Writer(Protocol):
    """Writes what was said about one picture or film after the other to a binary stream.

    Paths that are not valid UTF-8 come as Python gives them, with surrogate escapes (PEP 383).
    """

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """Write one result in one piece and flushes it, so that a killed run loses none.

        Args:
            path: The picture's or film's.
            result: What was said about it, or about its next shot.
            last: Whether nothing more will be said about it.
        """

    def close(self) -> None:
        """End the report; the stream stays open."""
