"""Detection of shot boundaries in videos: cuts, fades, dissolves and wipes."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from captioner.errors import CaptionerError
from captioner.media.clip import Frame
from captioner.media.transitions import REACH, Candidate, find_candidate

_THUMBNAIL = 8  # pixels per side, each the mean of its part of the frame
_RADIUS = 6  # frames to either side among which the strongest transition counts
LOOK = REACH + _RADIUS  # frames to either side on which a decision depends

_Item = TypeVar("_Item")


def mark_cuts(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Mark the first frame of each shot, in frames a few tenths of a second apart.

    `find_candidate` looks for a transition of any kind around each frame; the strongest one of its
    neighbourhood begins a shot, in its middle. `scripts/compare_shots.py` measures this on known
    transitions, beside PySceneDetect.

    Args:
        frames: Frames in the order of their times; a frame that stays on screen may be repeated.

    Yields:
        Each frame, and True if a shot begins with it, as with the first frame. A frame is yielded
        when `LOOK` further frames are known or the video ends.

    Raises:
        CaptionerError: After the frames before it, if the video is truncated.

    Example:
        >>> from itertools import pairwise
        >>> grey = [np.full((16, 16, 3), level, np.uint8) for level in (0, 3, 200, 205, 201)]
        >>> frames = [Frame(i / 4, i / 4, image) for i, image in enumerate(grey)]
        >>> [cut for _, cut in mark_cuts(frames)]
        [True, False, True, False, False]
    """
    failures: list[CaptionerError] = []
    is_first = True
    for near, place in _with_neighbours(_candidates(_until_failure(frames, failures)), _RADIUS):
        frame, own = near[place]
        cut = own is not None and not any(
            other is not None and other.overrides(own, abs(index - place), index < place)
            for index, (_, other) in enumerate(near)
            if index != place
        )
        yield frame, cut or is_first
        is_first = False
    if failures:
        raise failures[0]


def _until_failure(
    frames: Iterable[Frame], failures: list[CaptionerError]
) -> Iterator[tuple[Frame, np.ndarray]]:
    try:
        for frame in frames:
            yield frame, _shrink(frame.image)
    except CaptionerError as error:
        failures.append(error)


def _candidates(
    frames: Iterable[tuple[Frame, np.ndarray]],
) -> Iterator[tuple[Frame, Candidate | None]]:
    for near, place in _with_neighbours(frames, REACH):
        times = np.array([frame.time for frame, _ in near])  # (N,)
        thumbnails = np.stack([thumbnail for _, thumbnail in near])  # (N, V)
        yield near[place][0], find_candidate(thumbnails, times, place)


def _with_neighbours(items: Iterable[_Item], reach: int) -> Iterator[tuple[list[_Item], int]]:
    """Yield each item among up to `reach` ones before and after it, with its index there."""
    near: deque[_Item] = deque()
    place = 0
    for item in items:
        near.append(item)
        if len(near) - place > reach:
            yield list(near), place
            if place == reach:
                near.popleft()
            else:
                place += 1
    while place < len(near):
        yield list(near), place
        if place == reach:
            near.popleft()
        else:
            place += 1


def _shrink(image: np.ndarray) -> np.ndarray:
    rows, columns = (np.arange(_THUMBNAIL) * side // _THUMBNAIL for side in image.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(image, rows, 0, np.float32), columns, 1)
    height, width = (
        np.diff(edges, append=side)
        for edges, side in zip((rows, columns), image.shape[:2], strict=True)
    )
    return (sums / (height[:, None] * width)[..., None]).ravel()  # (8 * 8 * 3,)
