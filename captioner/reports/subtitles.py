"""Captions as subtitles of a film: WebVTT and SubRip."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.text import format_time

if TYPE_CHECKING:
    from captioner.results import Caption

READABLE = 1.0  # seconds that a cue lasts at least, where the film goes on for that long
_SHORTEST = 0.001  # seconds; players leave out cues that end as they begin
_GAP = 0.05  # seconds between shots that follow one another


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
        """Take in the cue that follows; the text of the longer shot stays."""
        if other.longest > self.longest:
            self.text, self.longest = other.text, other.longest
        self.end = other.end


class SubtitleWriter:
    r"""Writes a cue for each shot of one film; uncertain shots and errors take none.

    A cue that would be too short to be read is joined with the next one, or at the end with the one
    before, and has the text of the longer shot; before a gap it lasts longer than its shot.

    Args:
        stream: Where to.
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
        self._cues: list[_Cue] = []  # the last two, of which the second may be short
        if self._vtt:
            self._stream.write(b"WEBVTT\n\n")
            self._stream.flush()

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`; the best caption alone is written, once the next shot is known."""
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
        """See `Writer`: writes the last cues."""
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
