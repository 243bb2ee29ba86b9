"""Rows of JSON as files to take away: a table, subtitles, or everything in a ZIP archive."""

import io
import json
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from captioner.errors import CaptionerError
from captioner.reports.csv import CSVWriter
from captioner.reports.row import Writer
from captioner.reports.subtitles import SubtitleWriter
from captioner.results import Caption

Rows = Sequence[Mapping[str, Any]]
_LEAST = 1e-4  # probability of a label, which is rounded to this


class Download(NamedTuple):
    """A file.

    Attributes:
        content: Its bytes.
        media_type: Of these, as for Content-Type.
        name: Under which it is saved.
    """

    content: bytes
    media_type: str
    name: str


def pack(rows: Rows, format_name: str) -> Download:
    """Write rows as a file.

    Args:
        rows: As `Describer` gives them, or with other words as their captions.
        format_name: One of `PACKERS`.

    Raises:
        CaptionerError: There is no such format, the rows are none, or subtitles are asked of
            images or of several clips.

    Example:
        >>> row = {"path": "a.jpg", "caption": "a dog", "log_prob": -1.5}
        >>> pack([row], "csv").content.splitlines()[1]
        b'a.jpg,,,a dog,-1.5,,'
    """
    if format_name not in PACKERS:
        raise CaptionerError(f"format={format_name!r}: choose one of {', '.join(PACKERS)}")
    try:
        return PACKERS[format_name](rows)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CaptionerError(
            f"these are no rows of captions ({error!r}): send them as they came"
        ) from error


def _csv(rows: Rows) -> Download:
    return Download(_written(rows, CSVWriter), "text/csv; charset=utf-8", "captions.csv")


def _jsonl(rows: Rows) -> Download:
    lines = (json.dumps(_without_images(row), ensure_ascii=False) for row in rows)
    content = "".join(f"{line}\n" for line in lines).encode()
    return Download(content, "application/jsonl; charset=utf-8", "captions.jsonl")


def _subtitles(rows: Rows, kind: str, media_type: str) -> Download:
    if len(rows) != 1:
        raise CaptionerError("subtitles are of one clip: send one, or take the format zip")
    content = _written(rows, lambda stream: SubtitleWriter(stream, kind))
    name = PurePosixPath(str(rows[0]["path"])).stem
    return Download(content, media_type, f"{name}.{kind}")


def _zip(rows: Rows) -> Download:
    stream = io.BytesIO()
    names: set[str] = set()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in (_csv(rows), _jsonl(rows)):
            names.add(table.name)
            archive.writestr(table.name, table.content)
        for row in rows:
            if row.get("segments"):
                archive.writestr(_new_name(row, ".vtt", names), pack([row], "vtt").content)
            elif text := row.get("caption", row.get("label")):
                archive.writestr(_new_name(row, ".txt", names), f"{text}\n")
    return Download(stream.getvalue(), "application/zip", "captions.zip")


PACKERS: dict[str, Callable[[Rows], Download]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "vtt": lambda rows: _subtitles(rows, "vtt", "text/vtt; charset=utf-8"),
    "srt": lambda rows: _subtitles(rows, "srt", "application/x-subrip; charset=utf-8"),
    "zip": _zip,
}


def _written(rows: Rows, make: Callable[[io.BytesIO], Writer]) -> bytes:
    stream = io.BytesIO()
    writer = make(stream)
    for row in rows:
        for result in _results(row):
            writer.write(str(row["path"]), result)
    writer.close()
    return stream.getvalue()


def _results(row: Mapping[str, Any]) -> Iterator[Caption | CaptionerError]:
    if "segments" in row:
        for part in row["segments"]:
            yield _caption(part, (float(part["start"]), float(part["end"])))
    elif "error" not in row:
        yield _caption(row)
    if "error" in row:
        yield CaptionerError(str(row["error"]))


def _caption(fields: Mapping[str, Any], span: tuple[float, float] | None = None) -> Caption:
    _, *others = fields.get("captions", fields.get("labels", [fields]))
    if "label" in fields:
        text, log_prob = str(fields["label"]), math.log(max(float(fields["probability"]), _LEAST))
    else:
        text, log_prob = str(fields["caption"]), float(fields["log_prob"])
    confidence = fields.get("confidence")
    return Caption(
        text,
        tuple(text.split()),
        log_prob,
        0.0,
        span=span,
        confidence=None if confidence is None else float(confidence),
        alternatives=tuple(map(_caption, others)),
    )


def _without_images(row: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is only for the page."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: plain(v) for k, v in value.items() if k not in ("attention", "preview")}
        return [plain(each) for each in value] if isinstance(value, list) else value

    return dict(plain(row))


def _new_name(row: Mapping[str, Any], suffix: str, taken: set[str]) -> str:
    """Return a name for the text of a file that no other one has, and that leads nowhere else."""
    name = PurePosixPath(str(row["path"]).replace("\\", "/")).name or "file"
    choices = [f"{PurePosixPath(name).stem}{suffix}", f"{name}{suffix}"]
    choices += [f"{name} ({number}){suffix}" for number in range(2, len(taken) + 3)]
    chosen = next(choice for choice in choices if choice not in taken)
    taken.add(chosen)
    return chosen
