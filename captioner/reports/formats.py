"""The formats of reports, by name."""

from pathlib import Path
from typing import BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.csv import CSVWriter
from captioner.reports.json import JSONWriter
from captioner.reports.jsonl import JSONLinesWriter
from captioner.reports.subtitles import SubtitleWriter
from captioner.reports.text import TextWriter
from captioner.reports.writer import Writer

FORMATS = ("text", "json", "jsonl", "csv", "vtt", "srt")
SUBTITLES = ("vtt", "srt")
RESUMABLE = ("text", "jsonl", "csv")
_TEXT_SUFFIXES = ("", ".txt", ".tsv", ".text", ".log")


def format_of(path: Path) -> str:
    """Return the format that a file's name asks for.

    Raises:
        CaptionerError: No format has this suffix.

    Example:
        >>> format_of(Path("captions.csv")), format_of(Path("captions.txt"))
        ('csv', 'text')
    """
    suffix = path.suffix.lower()
    if suffix in _TEXT_SUFFIXES:
        return "text"
    if suffix.removeprefix(".") in FORMATS[1:]:
        return suffix.removeprefix(".")
    known = ", ".join(f".{name}" for name in FORMATS[1:])
    raise CaptionerError(
        f"{path}: no format has the suffix {suffix}: name a file .txt, {known}, or give --format"
    )


def make_writer(
    format_name: str, stream: BinaryIO, *, show_path: bool = True, header: str = ""
) -> Writer:
    """Make the writer of a format.

    Args:
        format_name: One of `FORMATS`.
        stream: Where to; it stays open.
        show_path: Whether text has the path before each caption; other formats always have it.
        header: Of a CSV report that is continued; empty for a new one.

    Example:
        >>> from io import BytesIO
        >>> type(make_writer("jsonl", BytesIO())).__name__
        'JSONLinesWriter'
    """
    if format_name == "text":
        return TextWriter(stream, show_path=show_path)
    if format_name == "csv":
        return CSVWriter(stream, header=header)
    if format_name == "jsonl":
        return JSONLinesWriter(stream)
    if format_name in SUBTITLES:
        return SubtitleWriter(stream, format_name)
    return JSONWriter(stream)
