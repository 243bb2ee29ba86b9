"""Captions as subtitles of a video: WebVTT and SubRip."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.text import format_time

if TYPE_CHECKING:
    from captioner.results import Caption

READABLE = 1.0  # minimum seconds of a cue, if the video lasts that long
_SHORTEST = 0.001  # seconds; players omit cues of zero duration
_GAP = 0.05  # maximum seconds between consecutive shots


@dataclass
class _Cue:
    start: float
    end: float
    text: str
    longest: float  # seconds of the shot that the text is about

    @property
    def is_short(self) -> bool:
        return self.end - self.start < READABLE

    def absorb(self, other: "_Cue") -> None:
        """Merge the next cue into this one; the text of the longer shot is kept."""
        if other.longest > self.longest:
            self.text, self.longest = other.text, other.longest
        self.end = other.end


class SubtitleWriter:
    r"""Writes a cue for each shot of one video, except for uncertain shots and errors.

    A cue that would be too short to read is merged with the next one, or at the end with the
    previous one, and gets the text of the longer shot; before a gap it is extended beyond its shot.

    Args:
        stream: Output stream.
        format_name: "vtt" (https://www.w3.org/TR/webvtt1/) or "srt".

    Example:
        >>> from io import BytesIO
        >>> from captioner.results import Caption
        >>> stream = BytesIO()
        >>> writer = SubtitleWriter(stream, "vtt")
        >>> writer.write("a.mp4", Caption("a dog", ("a", "dog"), -1.0, -0.6, span=(0.0, 2.5)), True)
        >>> writer.close()
        >>> stream.getvalue()
        b'WEBVTT\n\n00:00:00.000 --> 00:00:02.500\na dog\n\n'
    """

    def __init__(self, stream: BinaryIO, format_name: str) -> None:
        self._stream = stream
        self._vtt = format_name == "vtt"
        self._count = 0
        self._path: str | None = None
        self._has_shots = False
        self._cues: list[_Cue] = []  # the last two; the second may be short
        if self._vtt:
            self._stream.write(b"WEBVTT\n\n")
            self._stream.flush()

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`; only the best caption is written, once the next shot is known."""
        if self._path not in (None, path):
            raise CaptionerError(
                "subtitles can describe only one video: name one, or choose another format"
            )
        self._path = path
        if isinstance(result, CaptionerError):
            return
        if result.span is None and self._has_shots:
            return  # a sentence about the whole video
        if result.span is None:
            raise CaptionerError(f"{path} is an image, which has no subtitles: name a video")
        self._has_shots = True
        if result.uncertain:
            return
        start, end = result.span
        cue = _Cue(start, max(end, start + _SHORTEST), result.text, end - start)
        before = self._cues[-1] if self._cues else None
        if before is not None and before.is_short:
            if start - before.end < _GAP:
                before.absorb(cue)
                return
            before.end = min(before.start + READABLE, start)
        if len(self._cues) == 2:
            self._put(self._cues.pop(0))
        self._cues.append(cue)

    def close(self) -> None:
        """Write the last cues; see `Writer`."""
        if len(self._cues) == 2:
            first, second = self._cues
            if second.is_short and second.start - first.end < _GAP:
                first.absorb(second)
                self._cues.pop()
        while self._cues:
            self._put(self._cues.pop(0))

    def _put(self, cue: _Cue) -> None:
        begins, ends = (
            format_time(time, decimals=3, point="." if self._vtt else ",", hour_digits=2)
            for time in (cue.start, cue.end)
        )
        text = cue.text
        if self._vtt:
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        self._count += 1
        number = "" if self._vtt else f"{self._count}\n"
        self._stream.write(f"{number}{begins} --> {ends}\n{text}\n\n".encode())
        self._stream.flush()
