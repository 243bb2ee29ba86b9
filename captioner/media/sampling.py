"""Splitting of a video into clips, and sampling of their frames."""

import math
from collections.abc import Iterator
from itertools import count

import numpy as np

from captioner.errors import CaptionerError
from captioner.media.clip import Clip, Footage, Frame
from captioner.media.shots import LOOK, mark_cuts

RATE = 4.0  # maximum number of frames sampled per second
FRAMES = 16  # default maximum number of frames in a clip
# Frames read before a part of a video: those that the cut detector compares with, and some more,
# because a decoder that starts at a key frame reports durations correctly only a little later.
_LEAD = LOOK + 11


def split_footage(
    footage: Footage,
    every: float | None = None,
    most: int = FRAMES,
    steps: tuple[int, float] = (0, math.inf),
) -> Iterator[Clip]:
    """Split a video into clips, of which one is held in memory at a time.

    Args:
        footage: The video.
        every: Seconds per clip; `math.inf` for one clip of the whole video; None for one clip per
            shot.
        most: Maximum number of frames in a clip.
        steps: Part of the video to read: exactly the clips that begin in it when the whole video is
            split; the last one may end after it. Without `every`, two numbers of sampled frames,
            `RATE` per second, the second one excluded; with `every`, two numbers of windows.

    Yields:
        Clips of 1 to `most` different, evenly spaced frames, with contiguous spans.

    Raises:
        CaptionerError: After the clips before it, if the video is truncated; see `Footage.frames`.
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
    """Yield each frame with its number, and with its time if a shot begins with it, else None.

    Args:
        footage: The video.
        first: Number of the first frame whose cut is known; some frames before it are yielded, too,
            because the cut detector compares with them.
    """
    last = None
    begin = max(first - _LEAD, 0)
    # The detector also gets repeated frames, because a frame that stays on screen is no movement.
    for step, (frame, cut) in enumerate(
        mark_cuts(footage.frames(k / RATE for k in count(begin))), start=begin
    ):
        if frame.time != last:
            yield step, frame, frame.time if cut else None
        last = frame.time


def _windows(
    footage: Footage, every: float, most: int, first: int
) -> Iterator[tuple[int, Frame, float | None]]:
    """Yield each frame with its window's number, and the window's start with its first frame."""
    if every == math.inf:
        # If the duration is known, only the frames that are kept are decoded.
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
    """Evenly spaced frames from a part of a video whose length is not known in advance."""

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
