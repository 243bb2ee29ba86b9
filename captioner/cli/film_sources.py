"""Sources and results of `caption` for videos: resumed in their middle, and summarized."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from captioner.cli.named_sources import Named, path_of
from captioner.errors import CaptionerError
from captioner.media.video_range import NoClipError, VideoRange, WholeVideo

if TYPE_CHECKING:
    from captioner.reports.shot_journal import ShotJournal
    from captioner.results import Caption, Result


class FileResult(NamedTuple):
    """A result for a file: for an image, a shot, or a whole video after its shots.

    Attributes:
        path: Path of the file, as the user gave it.
        caption: Caption or error.
        last: True for the last result of this file.
        frames: Number of frames that the model used in this run.
    """

    path: str
    caption: "Caption | CaptionerError"
    last: bool
    frames: int


class FilmSources:
    """Turns paths into sources, and the captioner's results into results for files.

    Args:
        find: Function from a path to its source.
        journal: Journal with the finished shots of a killed run, or None.
        summary: If True, a video's shots are followed by a sentence about the whole video.
    """

    def __init__(
        self,
        find: Callable[[str], Named],
        journal: "ShotJournal | None" = None,
        summary: bool = False,
    ) -> None:
        self._find = find
        self._journal = journal
        self._summary = summary
        self._summarized: set[str] = set()
        self._failed: set[str] = set()

    def sources(self, paths: Iterable[str]) -> Iterator[Named]:
        """Yield the source of each path, or what is left of it, and the whole video."""
        for path in paths:
            source = self._find(path)
            if not isinstance(source, str):
                yield source
                continue
            first = 0 if self._journal is None else self._journal.resume(path)
            has_summary = self._summary and _is_video(path)
            if has_summary:  # before its first result arrives
                self._summarized.add(path)
            yield VideoRange(path, first, math.inf) if first else source
            if has_summary:
                yield WholeVideo(path)

    def results(self, results: "Iterable[Result]") -> Iterator[FileResult]:
        """Yield the results for files; keep each one in the journal after it has been used."""
        for result in self._of_files(results):
            yield result
            if self._journal is not None:
                self._journal.add(result.path, result.caption, result.last)

    def _of_files(self, results: "Iterable[Result]") -> Iterator[FileResult]:
        for result in results:
            path = path_of(result.source)
            if isinstance(result.source, WholeVideo):
                if path in self._failed:
                    continue
                yield FileResult(path, result.caption, True, result.frames)
                continue
            if self._journal is not None:
                for shot in self._journal.earlier(path):
                    yield FileResult(path, shot, False, 0)
            last = result.last
            if last and path in self._summarized:
                if isinstance(result.caption, NoClipError):
                    continue  # a killed run has described all shots, but not the whole
                last = isinstance(result.caption, CaptionerError)
                if last:
                    self._failed.add(path)
            yield FileResult(path, result.caption, last, result.frames)


def _is_video(path: str) -> bool:
    from captioner.media.sources import is_footage

    try:
        return is_footage(path)
    except CaptionerError:
        return False  # its reader reports the reason
