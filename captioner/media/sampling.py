"""Which frames of a film are described together, and how many of them are looked at."""

import math
from collections.abc import Iterator
from itertools import count

import numpy as np

from captioner.errors import CaptionerError
from captioner.media.clip import Clip, Footage, Frame
from captioner.media.shots import mark_cuts

RATE = 4.0  # frames looked at in a second, at most
FRAMES = 16  # frames of a clip, at most, unless fewer are asked for


def split_footage(
    footage: Footage, every: float | None = None, most: int = FRAMES
) -> Iterator[Clip]:
    """Cuts a film into clips, of which one is held in memory at a time.

    Args:
        footage: The film.
        every: Seconds of each clip; `math.inf` for one clip of it all; None for a clip a shot.
        most: Frames of a clip, at most.

    Yields:
        Clips of 1 to `most` different frames at even distances, whose spans follow one another.

    Raises:
        CaptionerError: After the clips before, if the film breaks off; see `Footage.frames`.
    """
    part = _Part(0.0, most)
    failure = None
    try:
        timed = _shots(footage) if every is None else _windows(footage, every, most)
        for frame, start in timed:
            if start is not None and part.frames:
                yield part.clip(end=start)
                part = _Part(start, most)
            part.add(frame)
    except CaptionerError as error:
        failure = error
    if part.frames:
        yield part.clip(end=footage.end)
    if failure:
        raise failure


def _shots(footage: Footage) -> Iterator[tuple[Frame, float | None]]:
    """Frames, each with its time if a shot begins with it."""
    last = None
    # The detector also sees a frame that comes again: what stays on screen is no movement.
    for frame, cut in mark_cuts(footage.frames(k / RATE for k in count())):
        if frame.time != last:
            yield frame, frame.time if cut else None
        last = frame.time


def _windows(footage: Footage, every: float, most: int) -> Iterator[tuple[Frame, float | None]]:
    """Frames of windows of equal length, each with the window's start if it is its first."""
    if every == math.inf:
        # Of a film whose length is known, no more frames are decoded than are kept.
        in_window, step = math.inf, max(1 / RATE, (footage.duration or 0) / most)
    else:
        in_window = min(most, math.ceil(every * RATE))
        step = every / in_window
    last = None
    for k, frame in enumerate(footage.frames(k * step for k in count())):
        starts = k % in_window == 0
        if starts or frame.time != last:
            yield frame, k * step if starts else None
        last = frame.time


class _Part:
    """Frames at even distances from a stretch of film whose length is not known beforehand."""

    def __init__(self, start: float, most: int) -> None:
        self._start = start
        self._most = most
        self._count = 0
        self._stride = 1
        self.frames: list[Frame] = []

    def add(self, frame: Frame) -> None:
        if self._count % self._stride == 0:
            self.frames.append(frame)
            if len(self.frames) == 2 * self._most:
                self.frames = self.frames[::2]
                self._stride *= 2
        self._count += 1

    def clip(self, end: float) -> Clip:
        kept = len(self.frames)
        chosen = np.linspace(0, kept - 1, min(kept, self._most)).round().astype(int)
        return Clip(
            frames=np.stack([self.frames[i].image for i in chosen]),  # (T, H, W, 3)
            times=np.array([self.frames[i].time for i in chosen]),  # (T,)
            span=(self._start, end),
        )
