"""Captions as subtitles of a film: WebVTT and SubRip."""

from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.timestamp import format_time

if TYPE_CHECKING:
    from captioner.results import Caption

_SHORTEST = 0.001  # seconds; players leave out cues that end as they begin


class SubtitleWriter:
    r"""Writes a cue for each shot of one film; uncertain shots and errors take none.

    Args:
        stream: Where to.
        format_name: "vtt" (https://www.w3.org/TR/webvtt1/) or "srt".

    Example:
        >>> from io import BytesIO
        >>> from captioner.results import Caption
        >>> stream = BytesIO()
        >>> caption = Caption("a dog", ("a", "dog"), -1.0, -0.6, span=(0.0, 2.5))
        >>> SubtitleWriter(stream, "vtt").write("dog.mp4", caption)
        >>> stream.getvalue()
        b'WEBVTT\n\n00:00:00.000 --> 00:00:02.500\na dog\n\n'
    """

    def __init__(self, stream: BinaryIO, format_name: str) -> None:
        self._stream = stream
        self._vtt = format_name == "vtt"
        self._count = 0
        self._path: str | None = None
        if self._vtt:
            self._stream.write(b"WEBVTT\n\n")
            self._stream.flush()

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`; the best caption alone is written."""
        if self._path not in (None, path):
            raise CaptionerError("subtitles are of one film: name one, or choose another format")
        self._path = path
        if isinstance(result, CaptionerError):
            return
        if result.span is None:
            raise CaptionerError(f"{path} is a picture, which has no subtitles: name a film")
        if result.uncertain:
            return
        start, end = result.span
        begins, ends = (
            format_time(time, decimals=3, point="." if self._vtt else ",", hour_digits=2)
            for time in (start, max(end, start + _SHORTEST))
        )
        text = result.text
        if self._vtt:
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        self._count += 1
        number = "" if self._vtt else f"{self._count}\n"
        self._stream.write(f"{number}{begins} --> {ends}\n{text}\n\n".encode())
        self._stream.flush()

    def close(self) -> None:
        """See `Writer`: there is nothing to add."""
