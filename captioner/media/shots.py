"""Detection of shot boundaries in videos."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from captioner.errors import CaptionerError
from captioner.media.clip import Frame

_THUMBNAIL = 8  # pixels per side, each the mean of its part of the frame
_THRESHOLD = 15.0  # mean difference of two thumbnails, in 255ths of full brightness
_SLOW = 0.5  # seconds between frames above which movement alone makes a larger difference
_SLOWEST = 2.0  # maximum factor by which the threshold is raised
_RATIO = 2.5  # minimum ratio of that difference to nearby ones: a fast pan is not a cut
_BEFORE, _AFTER = 3, 2  # number of nearby differences to compare with


class _Change(NamedTuple):
    difference: float  # between a frame and the previous one
    least: float  # minimum difference of a cut


def mark_cuts(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Mark the first frame of each shot, in frames a few tenths of a second apart.

    As in PySceneDetect's AdaptiveDetector, there is a cut if a frame differs strongly from the
    previous one, and much more than nearby frames do. `scripts/compare_shots.py` compares the two.

    Args:
        frames: Frames in the order of their times; a frame that stays on screen may be repeated.

    Yields:
        Each frame, and True if a shot begins with it, as with the first frame. A frame is yielded
        when two further frames are known or the video ends.

    Raises:
        CaptionerError: After the frames before it, if the video is truncated.

    Example:
        >>> from itertools import pairwise
        >>> grey = [np.full((16, 16, 3), level, np.uint8) for level in (0, 3, 200, 205, 201)]
        >>> frames = [Frame(i / 4, i / 4, image) for i, image in enumerate(grey)]
        >>> [cut for _, cut in mark_cuts(frames)]
        [True, False, True, False, False]
    """
    waiting: deque[Frame] = deque()
    # Changes of the waiting frames and of some earlier ones; None for a repeated frame.
    changes: deque[_Change | None] = deque()
    last: Frame | None = None
    thumbnail: np.ndarray | None = None
    failure = None
    try:
        for frame in frames:
            if last is not None and frame.time == last.time:
                changes.append(None)
            else:
                before, thumbnail = thumbnail, _shrink(frame.image)
                changes.append(_change(before, thumbnail, frame.time - (last or frame).time))
            last = frame
            waiting.append(frame)
            if len(waiting) > _AFTER:
                yield waiting.popleft(), _is_cut(changes, len(waiting))
    except CaptionerError as error:
        failure = error
    while waiting:
        yield waiting.popleft(), _is_cut(changes, len(waiting))
    if failure:
        raise failure


def _change(before: np.ndarray | None, after: np.ndarray, seconds: float) -> _Change:
    difference = np.inf if before is None else float(np.abs(after - before).mean())
    return _Change(difference, _THRESHOLD * min(max(seconds / _SLOW, 1), _SLOWEST))


def _is_cut(changes: deque[_Change | None], after: int) -> bool:
    known = list(changes)
    place = len(known) - 1 - after
    if place == _BEFORE:
        changes.popleft()
    change = known[place]
    if change is None:
        return False
    around = [
        x.difference for x in known[:place] + known[place + 1 :] if x and x.difference < np.inf
    ]
    usual = sum(around) / max(len(around), 1)
    return change.difference >= max(change.least, _RATIO * usual)


def _shrink(image: np.ndarray) -> np.ndarray:
    rows, columns = (np.arange(_THUMBNAIL) * side // _THUMBNAIL for side in image.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(image, rows, 0, np.float32), columns, 1)
    height, width = (
        np.diff(edges, append=side)
        for edges, side in zip((rows, columns), image.shape[:2], strict=True)
    )
    return sums / (height[:, None] * width)[..., None]  # (8, 8, 3)
