"""Where one shot of a film ends and the next begins."""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from captioner.errors import CaptionerError
from captioner.media.footage import Frame

_THUMBNAIL = 8  # pixels along each side, each the mean of its part of the frame
_THRESHOLD = 25.0  # mean difference of two thumbnails, in 255ths of full brightness
_RATIO = 2.5  # of that difference to those around it: a fast pan is no cut
_BEFORE, _AFTER = 3, 2  # differences to compare with


def mark_cuts(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Tells the first frame of each shot, from frames some tenths of a second apart.

    As in PySceneDetect's AdaptiveDetector, a cut is where a frame differs from the one before by
    much, and by much more than frames nearby do.

    Args:
        frames: In the order of their times.

    Yields:
        Each frame, and whether a shot begins with it, as one does with the first. It is told once
        two further frames are known, or the film ends.

    Raises:
        CaptionerError: After the frames before, if the film breaks off.

    Example:
        >>> from itertools import pairwise
        >>> grey = [np.full((16, 16, 3), level, np.uint8) for level in (0, 3, 200, 205, 201)]
        >>> frames = [Frame(i / 4, i / 4, image) for i, image in enumerate(grey)]
        >>> [cut for _, cut in mark_cuts(frames)]
        [True, False, True, False, False]
    """
    waiting: deque[Frame] = deque()
    # Of the waiting frames and of some before, each to the frame before it.
    differences: deque[float] = deque()
    last = failure = None
    try:
        for frame in frames:
            thumbnail = _shrink(frame.image)
            differences.append(np.inf if last is None else float(np.abs(thumbnail - last).mean()))
            last = thumbnail
            waiting.append(frame)
            if len(waiting) > _AFTER:
                yield waiting.popleft(), _is_cut(differences, len(waiting))
    except CaptionerError as error:
        failure = error
    while waiting:
        yield waiting.popleft(), _is_cut(differences, len(waiting))
    if failure:
        raise failure


def _is_cut(differences: deque[float], after: int) -> bool:
    known = list(differences)
    place = len(known) - 1 - after
    if place == _BEFORE:
        differences.popleft()
    around = [x for x in known[:place] + known[place + 1 :] if x < np.inf]
    usual = sum(around) / max(len(around), 1)
    return known[place] >= max(_THRESHOLD, _RATIO * usual)


def _shrink(image: np.ndarray) -> np.ndarray:
    rows, columns = (np.arange(_THUMBNAIL) * side // _THUMBNAIL for side in image.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(image, rows, 0, np.float32), columns, 1)
    height, width = (
        np.diff(edges, append=side)
        for edges, side in zip((rows, columns), image.shape[:2], strict=True)
    )
    return sums / (height[:, None] * width)[..., None]  # (8, 8, 3)
