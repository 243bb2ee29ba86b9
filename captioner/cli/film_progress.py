"""The progress of a batch in files and in hours of film."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from captioner.errors import CaptionerError
from captioner.media.files import VIDEO_SUFFIXES

if TYPE_CHECKING:
    from captioner.cli.film_sources import FileResult


class FilmProgress:
    """Shows how many files and how many hours of film are described.

    The total is counted in a thread, from the durations that the files state; while it is
    incomplete, a plus sign follows it.

    Args:
        bar: Progress bar of tqdm, which counts files.
        find: Function that lists the files of the run; None if they are not known in advance.
    """

    def __init__(self, bar: Any, find: Callable[[], Iterable[str]] | None = None) -> None:
        self._bar = bar
        self._seconds: dict[str, float] = {}  # stated by the files, by path
        self._complete: set[str] = set()
        self._position = ("", 0.0)  # the video that is being described, and how far
        self._frames = 0
        self._is_counted = False
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        if find is not None and not bar.disable:
            self._thread = threading.Thread(target=self._count, args=(find,), daemon=True)
            self._thread.start()

    def add(self, result: "FileResult") -> None:
        """Count a result."""
        span = getattr(result.caption, "span", None)
        if span is not None:
            self._position = (result.path, float(span[1]))
        self._frames += result.frames
        if result.last:
            self._complete.add(result.path)
        self._show()
        self._bar.update(result.last)

    def skip(self, path: str) -> None:
        """Count a file that has already been described."""
        self._complete.add(path)
        self._show()
        self._bar.update()

    def finish(self) -> None:
        """Stop counting."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def hours(self) -> str:
        """Return the described and the total hours of film; empty if no film is known.

        Example:
            >>> from tqdm import tqdm
            >>> FilmProgress(tqdm(disable=True)).hours()
            ''
        """
        stated = dict(self._seconds)
        total = sum(stated.values())
        if not total:
            return ""
        done = sum(stated.get(path, 0.0) for path in list(self._complete))
        path, position = self._position
        if path not in self._complete:
            done += min(position, stated.get(path, position))
        more = "" if self._is_counted else "+"
        return f"{done / 3600:.2f} of {total / 3600:.2f}{more} h of film"

    def _show(self) -> None:
        shown = (self.hours(), f"{self._frames} frames")
        self._bar.set_postfix_str(", ".join(filter(None, shown)), refresh=False)

    def _count(self, find: Callable[[], Iterable[str]]) -> None:
        for path in find():
            if self._stopped.is_set():
                return
            if path.lower().endswith(VIDEO_SUFFIXES):
                self._seconds[path] = stated_seconds(path) or 0.0
        self._is_counted = True


def stated_seconds(path: str) -> float | None:
    """Return the duration that a video file states; None if there is none, or for other files.

    Example:
        >>> stated_seconds("data/samples/shepherd_and_cat.mp4"), stated_seconds("nosuch.mp4")
        (4.0, None)
    """
    from captioner.media.containers import open_container, stated_duration

    with suppress(CaptionerError, OSError, ValueError):
        container, stream = open_container(path)
        try:
            return stated_duration(container, stream)
        finally:
            container.close()
    return None
