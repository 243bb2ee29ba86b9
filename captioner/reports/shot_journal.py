"""A journal of the shots of a long video, so that a killed run goes on in its middle."""

import json
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from captioner import __version__
from captioner.errors import CaptionerError
from captioner.media.sampling import RATE
from captioner.reports.run_record import Settings
from captioner.results import Caption

_FIELDS = ("text", "words", "log_prob", "score", "confidence", "uncertain", "partial")


class ShotJournal:
    r"""Keeps the finished shots of the video that is being described, until it is complete.

    The journal is a JSON Lines file: a header with the version, the settings, and the video's path,
    size and time of change, and a line for each shot. It is appended to after each shot and deleted
    after the video's last one. A later run with the same settings takes the shots from it and
    describes only the others. If the journal cannot be written, there is none.

    Args:
        settings: Settings of the run.
        path: Path of the journal; None for hidden files beside the videos.
        every: Seconds of a clip of a video, as for `read_clips`.

    Example:
        >>> import tempfile
        >>> film = Path(tempfile.mkdtemp(), "film.mp4")
        >>> film.touch()
        >>> shot = Caption("a dog", ("a", "dog"), -1.0, -0.6, span=(0.0, 2.5))
        >>> with ShotJournal(Settings("tiny", "12ab")) as journal:
        ...     journal.add(str(film), shot, last=False)
        >>> again = ShotJournal(Settings("tiny", "12ab"))
        >>> again.resume(str(film)), list(again.earlier(str(film)))
        (10, [Caption('a dog', span=(0.0, 2.5))])
    """

    def __init__(
        self, settings: Settings, path: Path | None = None, every: float | None = None
    ) -> None:
        self._settings = settings
        self._path = path
        self._every = every
        self._earlier: dict[str, list[Caption]] = {}
        self._kept: dict[str, int] = {}  # bytes of the journal that stay
        self._open: tuple[str, IO[str]] | None = None  # the video and its journal
        self._ignored: set[str] = set()

    def resume(self, path: str) -> int:
        """Read the finished shots of a video, and return where the next one begins.

        Args:
            path: Path of any file, as the user gave it.

        Returns:
            `first` of a `VideoRange` with the other shots; 0 if no shot is known.
        """
        shots, size = self._read(path)
        if not shots:
            return 0
        self._earlier[path], self._kept[path] = shots, size
        span = shots[-1].span
        assert span is not None
        # The first sampled frame at or after the end; multiplying by a power of two is exact.
        return len(shots) if self._every is not None else math.ceil(span[1] * RATE)

    def earlier(self, path: str) -> Iterator[Caption]:
        """Yield the shots that `resume` has read, once."""
        yield from self._earlier.pop(path, [])

    def add(self, path: str, result: Caption | CaptionerError, last: bool) -> None:
        """Keep a result, after the report has it; after the last one, delete the journal.

        Args:
            path: Path as for `resume`.
            result: Result for the next shot.
            last: True for the last result of the video.
        """
        if last:
            self.forget(path)
            return
        if isinstance(result, CaptionerError) or result.span is None or path in self._ignored:
            return
        try:
            if self._open is None or self._open[0] != path:
                self._begin(path)
            if self._open is not None:
                self._open[1].write(json.dumps(_encode(result)) + "\n")
                self._open[1].flush()
        except (OSError, CaptionerError):
            self._ignored.add(path)

    def forget(self, path: str) -> None:
        """Delete the journal of a complete video, if there is one."""
        is_known = self._kept.pop(path, None) is not None
        if self._open is not None and self._open[0] == path:
            self.close()
            is_known = True
        if is_known or self._path is None:
            with suppress(OSError, ValueError):
                self._place(path).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the journal; it stays if its video is not complete."""
        if self._open is not None:
            with suppress(OSError):
                self._open[1].close()
        self._open = None

    def __enter__(self) -> "ShotJournal":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _begin(self, path: str) -> None:
        self.close()
        header = self._header(path)
        if header is None:
            self._ignored.add(path)
            return
        place = self._place(path)
        kept = self._kept.pop(path, 0)
        if kept:  # without a line that a killed run has cut off
            os.truncate(place, kept)
        else:
            place.unlink(missing_ok=True)  # that of another run, which may still write to it
        stream = place.open("a", encoding="utf-8")
        self._open = path, stream
        if not kept:
            place.chmod(0o600)  # the captions of a private video
            stream.write(json.dumps(header) + "\n")

    def _place(self, path: str) -> Path:
        return self._path or Path(path).with_name(f".{Path(path).name}.shots")

    def _header(self, path: str) -> dict[str, Any] | None:
        try:
            state, file = Path(path).stat(), str(Path(path).resolve())
        except (OSError, ValueError):
            return None
        return {
            "captioner": __version__,
            "settings": asdict(self._settings),
            "path": file,
            "size": state.st_size,
            "mtime_ns": state.st_mtime_ns,
        }

    def _read(self, path: str) -> tuple[list[Caption], int]:
        """Return the consecutive shots of a video's journal, and the size of their part of it."""
        header = self._header(path)
        shots: list[Caption] = []
        size = 0
        try:
            # A killed run may have cut off the last line.
            first, *lines = self._place(path).read_bytes().split(b"\n")[:-1]
            if header is None or json.loads(first) != json.loads(json.dumps(header)):
                return [], 0
            size, end = len(first) + 1, 0.0
            for line in lines:
                shot = _decode(json.loads(line))
                if shot.span is None or shot.span[0] != end:
                    break
                shots.append(shot)
                size, end = size + len(line) + 1, shot.span[1]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # from here on, it is not a journal
        return shots, size


def _encode(caption: Caption) -> dict[str, Any]:
    fields = {name: getattr(caption, name) for name in _FIELDS}
    fields |= {"log_prob": float(caption.log_prob), "score": float(caption.score)}
    if caption.confidence is not None:
        fields["confidence"] = float(caption.confidence)
    fields["span"] = None if caption.span is None else list(map(float, caption.span))
    fields["alternatives"] = [_encode(other) for other in caption.alternatives]
    return fields


def _decode(fields: dict[str, Any]) -> Caption:
    caption = Caption(**{name: fields[name] for name in _FIELDS})
    span = fields["span"]
    return replace(
        caption,
        words=tuple(caption.words),
        span=None if span is None else (span[0], span[1]),
        alternatives=tuple(map(_decode, fields["alternatives"])),
    )
