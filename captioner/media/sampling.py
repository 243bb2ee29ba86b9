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
# Frames before the first of a part of a film: a cut is told by four frames before it, and a decoder
# that has begun at a key frame knows the length of frames on screen a little later.
_LEAD = 16


def split_footage(
    footage: Footage,
    every: float | None = None,
    most: int = FRAMES,
    steps: tuple[int, float] = (0, math.inf),
) -> Iterator[Clip]:
    """Cuts a film into clips, of which one is held in memory at a time.

    Args:
        footage: The film.
        every: Seconds of each clip; `math.inf` for one clip of it all; None for a clip a shot.
        most: Frames of a clip, at most.
        steps: A part of the film: the clips that begin in it are those that begin so in the whole
            film, the last of which may go on behind it. Without `every`, it is two numbers of
            frames looked at, `RATE` a second, the second one excluded; with it, of windows.

    Yields:
        Clips of 1 to `most` different frames at even distances, whose spans follow one another.

    Raises:
        CaptionerError: After the clips before, if the film breaks off; see `Footage.frames`.
    """
    part: _Part | None = None
    failure = None
    first, stop = steps
    try:
        timed = _shots(footage, first) if every is None else _windows(footage, every, most, first)
        for step, frame, start in timed:
            if start is not None and step >= first:
                if part:
                    yield part.clip(end=start)
                if step >= stop:
                    return
                part = _Part(start if step else 0.0, most)
            if part:
                part.add(frame)
    except CaptionerError as error:
        failure = error
    if part:
        yield part.clip(end=footage.end)
    if failure:
        raise failure


def _shots(footage: Footage, first: int) -> Iterator[tuple[int, Frame, float | None]]:
    """Frames by their number, each with its time if a shot begins with it.

    Args:
        footage: The film.
        first: The number from which on it is known what begins a shot: some frames before that one
            come, too, by which the cuts behind it are told.
    """
    last = None
    begin = max(first - _LEAD, 0)
    # The detector also sees a frame that comes again: what stays on screen is no movement.
    for step, (frame, cut) in enumerate(
        mark_cuts(footage.frames(k / RATE for k in count(begin))), start=begin
    ):
        if frame.time != last:
            yield step, frame, frame.time if cut else None
        last = frame.time


def _windows(
    footage: Footage, every: float, most: int, first: int
) -> Iterator[tuple[int, Frame, float | None]]:
    """Frames by the number of their window, each with the window's start if it is its first."""
    if every == math.inf:
        # Of a film whose length is known, no more frames are decoded than are kept.
        in_window, step = math.inf, max(1 / RATE, (footage.duration or 0) / most)
    else:
        in_window = min(most, math.ceil(every * RATE))
        step = every / in_window
    last = None
    begin = 0 if in_window == math.inf else first * int(in_window)
    for k, frame in enumerate(footage.frames(k * step for k in count(begin)), start=begin):
        starts = k % in_window == 0
        if starts or frame.time != last:
            yield int(k // in_window), frame, k * step if starts else None
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
