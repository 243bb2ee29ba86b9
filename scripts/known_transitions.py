"""Shots joined by transitions of a known kind, for `compare_shots.py`."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

# Kinds, and the minimum and maximum seconds of each.
KINDS = {
    "cut": (0.0, 0.0),
    "flash": (0.0, 0.0),
    "fade": (0.3, 2.0),
    "dissolve 0.3": (0.3, 0.3),
    "dissolve 0.5": (0.5, 0.5),
    "dissolve 1": (1.0, 1.0),
    "dissolve 2": (2.0, 2.0),
    "wipe": (0.3, 1.5),
}
_FLASHES = 1.0  # mean number of flashes per second, in the kind "flash"
_LONGEST_FLASH = 3  # frames
_WEAKEST_FLASH = 0.5  # share of white
_APART = 0.4  # minimum seconds between a flash and a cut or another flash

Shot = list[np.ndarray]  # frames, uint8 (H, W, 3) each, all of one size


class Transition(NamedTuple):
    """The seconds in which one shot becomes another; equal for a cut."""

    start: float
    end: float


def join(
    shots: Sequence[Shot], rate: float, kind: str, random: np.random.Generator
) -> tuple[Shot, list[Transition]]:
    """Join shots by transitions of one kind.

    A transition takes its frames from the end of one shot and from the beginning of the next one.

    Args:
        shots: Two or more shots with frames of one size.
        rate: Frames per second.
        kind: One of `KINDS`. "flash" has cuts, and one to three brightened frames once a second;
            "fade" goes through black; a "wipe" has one of four directions.
        random: Source of lengths, directions and flashes.

    Returns:
        The frames, and the transitions in their order.

    Example:
        >>> black, white = [np.full((2, 2, 3), level, np.uint8) for level in (0, 255)]
        >>> random = np.random.default_rng(0)
        >>> frames, found = join([[black] * 9, [white] * 9], 10, "dissolve 0.5", random)
        >>> [int(frame.mean()) for frame in frames], found
        ([0, 0, 0, 0, 42, 85, 127, 170, 212, 255, 255, 255, 255], [Transition(start=0.4, end=0.9)])
    """
    film: Shot = list(shots[0])
    found: list[Transition] = []
    for shot in shots[1:]:
        least, most = KINDS[kind]
        length = max(round(random.uniform(least, most) * rate), 0)
        length = min(length, len(film), len(shot))
        first = len(film) - length
        direction = int(random.integers(4)) if kind == "wipe" else 0
        for index in range(length):
            share = (index + 1) / (length + 1)
            film[first + index] = _blend(film[first + index], shot[index], share, kind, direction)
        found.append(Transition(first / rate, (first + length) / rate))
        film += shot[length:]
    if kind == "flash":
        for index in _flashes(len(film), rate, found, random):
            film[index] = _towards_white(film[index], random.uniform(_WEAKEST_FLASH, 1))
    return film, found


def _blend(one: np.ndarray, other: np.ndarray, share: float, kind: str, side: int) -> np.ndarray:
    if kind == "fade":
        image, level = (one, 1 - 2 * share) if share < 0.5 else (other, 2 * share - 1)
        return (image * level).astype(np.uint8)
    if kind == "wipe":
        turned, new = np.rot90(one, side).copy(), np.rot90(other, side)
        edge = round(share * turned.shape[1])
        turned[:, :edge] = new[:, :edge]
        return np.rot90(turned, -side)
    return (one * (1 - share) + other * share).astype(np.uint8)


def _towards_white(image: np.ndarray, share: float) -> np.ndarray:
    return (image + (255.0 - image) * share).astype(np.uint8)


def _flashes(
    frames: int, rate: float, cuts: Sequence[Transition], random: np.random.Generator
) -> Iterator[int]:
    """Yield the numbers of brightened frames: flashes inside shots, not at their ends."""
    busy = [0.0, *(cut.start for cut in cuts), frames / rate]
    for _ in range(round(frames / rate * _FLASHES)):
        length = int(random.integers(1, _LONGEST_FLASH + 1))
        first = int(random.integers(frames))
        start, end = first / rate, (first + length) / rate
        if all(end < time - _APART or start > time + _APART for time in busy):
            busy += [start, end]
            yield from range(first, first + length)
