"""A given number of frames at even distances over a whole clip."""

from collections.abc import Iterator
from itertools import count

from captioner.media.footage import Footage, Frame

_RATE = 25.0  # frames looked at in a second where the length of the clip is not known


def sample_evenly(footage: Footage, frames: int) -> list[Frame]:
    """Takes frames from the middles of equal parts of a film.

    Args:
        footage: The film, as a whole.
        frames: How many, 1 at least and no more: of a film with fewer, each is taken once.

    Returns:
        1 to `frames` different frames, in the order of their times.

    Raises:
        CaptionerError: If the film has no frame, or breaks off.

    Source: even sampling over the whole clip, as in Wang et al. 2016, Temporal Segment Networks,
    https://arxiv.org/abs/1608.00859.
    """
    if footage.duration:
        step = footage.duration / frames
        return list(_different(footage, ((k + 0.5) * step for k in range(frames))))
    kept: list[Frame] = []
    stride = 1
    for number, frame in enumerate(_different(footage, (k / _RATE for k in count()))):
        if number % stride == 0:
            kept.append(frame)
            if len(kept) == 4 * frames:  # memory does not grow with the length of the film
                kept, stride = kept[::2], 2 * stride
    return [kept[place] for place in middles(len(kept), frames)]


def middles(total: int, parts: int) -> list[int]:
    """The places in the middles of equal parts of a list; all places if these are fewer.

    Example:
        >>> middles(10, 4), middles(2, 4)
        ([1, 3, 6, 8], [0, 1])
    """
    parts = min(parts, total)
    return [int((k + 0.5) * total / parts) for k in range(parts)]


def _different(footage: Footage, times: Iterator[float]) -> Iterator[Frame]:
    last = None
    for frame in footage.frames(times):
        if frame.time != last:
            yield frame
        last = frame.time
