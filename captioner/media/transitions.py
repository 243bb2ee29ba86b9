"""Transitions between shots: cuts, dissolves, wipes and fades, told from flashes and movement."""

from typing import NamedTuple

import numpy as np

_CUT = 12.0  # minimum mean difference of the thumbnails at a cut, in 255ths of full brightness
_RATIO = 2.75  # minimum ratio of that difference to nearby ones: a fast pan is not a cut
_SLOW = 0.4  # seconds between frames above which movement alone makes a larger difference
_SLOWEST = 2.5  # maximum factor by which the threshold is raised
_BEFORE, _AFTER = 3, 2  # number of nearby differences to compare with

_GRADUAL = 24.0  # minimum difference between the frames before and after a dissolve or wipe
_LONGEST = 8  # maximum steps of a gradual transition
_MOVING = 1.5  # minimum ratio of that difference to the one made by movement in the same time
_OUTSIDE = 0.1  # maximum share by which the frames within it leave the range between these two
_STILL = 5.0  # a difference of this size is added to that of movement, when strengths are compared
_ALIKE = 0.9  # correlation from which two frames show the same scene in other light
_SAME = 0.98  # the same, at a cut, where nothing has time to move

_DARKEST = 0.4  # maximum contrast in a fade, as a ratio to that of the frames around it
_FADE = 4  # maximum steps between the flattest frame of a fade and the clearest ones around it
_FLAT = 5.0  # contrast of a frame of one colour
_HELD = 8  # maximum steps that a fade stays at one colour

_NEAR = 4  # steps within which only the strongest transition counts
_FADED = 6  # the same, for a fade

_FLASH = 12.0  # minimum gain of brightness in a flash
_BACK = 0.4  # maximum ratio of the difference across a flash to the one at its edges
_FLASHES = 2  # maximum number of frames in a flash
_WHITE = 230.0  # minimum brightness of a flash with which the video begins or ends

# Frames to either side on which a candidate depends: a transition with as many steps before it and
# as many after it; and some more for flashes at the ends.
REACH = _LONGEST + _LONGEST // 2 + _FLASHES + 1


class Candidate(NamedTuple):
    """A possible transition, in whose middle a shot begins.

    Attributes:
        rank: 0 for a dissolve or a wipe, 1 for a cut, 2 for a fade.
        strength: Strength among transitions of the same rank.
    """

    rank: int
    strength: float

    def overrides(self, other: "Candidate", distance: int, is_earlier: bool) -> bool:
        """Return True if this candidate excludes another one near it.

        Args:
            other: The other one.
            distance: Frames between the two.
            is_earlier: True if this one is before the other one.
        """
        # A fade of two seconds has a dissolve to a darker frame in its first half.
        if distance > (_FADED if (self.rank, other.rank) == (2, 0) else _NEAR):
            return False
        if self.rank != other.rank:
            return self.rank > other.rank
        if self.rank == 1 and distance > 1:  # a shot may last for half a second
            return False
        return (self.strength, is_earlier) > (other.strength, not is_earlier)


def find_candidate(thumbnails: np.ndarray, times: np.ndarray, place: int) -> Candidate | None:
    """Return the most likely transition in whose middle a frame is, if any.

    A cut is a difference that is large, and large compared with nearby ones, as in PySceneDetect's
    AdaptiveDetector. A dissolve or a wipe is a difference between the frames before and after it
    that is larger than movement makes in the same time, while the frames within it lie between
    these two. In a fade, the contrast falls and rises.
    A difference counts only if two frames on one side differ from two on the other, and frames
    much brighter than those before and after, which are alike, are ignored.

    Args:
        thumbnails: Small frames, float (N, V): up to `REACH` ones before and after the frame, fewer
            only where the video begins and ends.
        times: Times of the frames in seconds, float (N,); equal ones are the same frame.
        place: Index of the frame.

    Example:
        >>> black, white = np.zeros((4, 12)), np.full((4, 12), 255.0)
        >>> two = np.concatenate([black, white])
        >>> find_candidate(two, np.arange(8) / 4, 4)
        Candidate(rank=1, strength=255.0)
        >>> find_candidate(two, np.arange(8) / 4, 3)
    """
    if place == 0 or times[0] == times[-1]:  # one frame stays on screen
        return None
    frames = _Frames(_without_flashes(thumbnails), times)
    found = (frames.fade(place), frames.cut(place), frames.gradual(place))
    return next((candidate for candidate in found if candidate), None)


def _without_flashes(frames: np.ndarray) -> np.ndarray:
    """Return the frames with each flash replaced by the frame before it."""
    level = frames.mean(1)
    steady = frames.copy()
    for length in range(1, min(_FLASHES, len(frames) - 1) + 1):
        for first in range(1, len(frames) - length):
            end = first + length
            before, flash, after = frames[first - 1], frames[first:end], frames[end]
            if level[first:end].min() - max(level[first - 1], level[end]) < _FLASH:
                continue
            edges = [np.abs(flash - side).mean(1).min() for side in (before, after)]
            if np.abs(before - after).mean() <= _BACK * min(edges):
                steady[first:end] = before
        # These frames matter only where the video begins or ends.
        if level[:length].min() > _WHITE > level[length]:
            steady[:length] = frames[length]
        if level[-length:].min() > _WHITE > level[-length - 1]:
            steady[-length:] = frames[-length - 1]
    return steady


class _Frames:
    """Thumbnails (N, V), their times (N,), and differences between all of them (N, N)."""

    def __init__(self, frames: np.ndarray, times: np.ndarray) -> None:
        self._frames = frames
        self._gaps = np.diff(times, prepend=times[0])
        self._count = len(frames)
        self._contrast = frames.reshape(len(frames), -1, 3).std(1).mean(1)
        self._difference = np.abs(frames[:, np.newaxis] - frames).mean(2)
        # Differences of each frame from the previous one.
        self._steps = np.r_[0.0, np.diagonal(self._difference, 1)]

    def cut(self, place: int) -> Candidate | None:
        """Return a cut before a frame."""
        if self._gaps[place] == 0:  # the same frame, asked for once more
            return None
        around = [
            self._steps[index]
            for index in range(max(1, place - _BEFORE), min(self._count, place + _AFTER + 1))
            if index != place and self._gaps[index] > 0
        ]
        usual = sum(around) / max(len(around), 1)
        difference = min(self._across(place - 1, place), self._steps[place])
        least = _CUT * min(max(self._gaps[place] / _SLOW, 1), _SLOWEST)
        if difference < max(least, _RATIO * usual) or self._is_alike(place - 1, place, _SAME):
            return None
        return Candidate(1, float(self._steps[place]))

    def gradual(self, place: int) -> Candidate | None:
        """Return the strongest dissolve or wipe in whose middle a frame is."""
        strongest = 0.0
        for length in range(2, _LONGEST + 1):
            start = place - (length + 1) // 2
            end = start + length
            if start < 0 or end >= self._count or self._gaps[start + 1 : end + 1].max() >= _SLOW:
                continue
            if min(self._contrast[start], self._contrast[end]) < _FLAT:
                continue  # the beginning or end of a fade
            difference = self._across(start, end)
            movement = self._movement(start, end, length)
            if difference < max(_GRADUAL, _MOVING * movement) or self._is_alike(start, end):
                continue
            if self._outside(start, end) > _OUTSIDE:  # a camera that moves and stops
                continue
            strongest = max(strongest, difference / (_STILL + movement))
        return Candidate(0, float(strongest)) if strongest else None

    def fade(self, place: int) -> Candidate | None:
        """Return a fade at its flattest frame, or at the first one after frames of one colour."""
        contrast = self._contrast
        if place + 1 >= self._count:
            return None
        first = last = place
        if contrast[place - 1] < _FLAT <= contrast[place]:  # the first frame after flat ones
            first = last = place - 1
            while first > max(last - _HELD, 0) and contrast[first - 1] < _FLAT:
                first -= 1
            if first == 0:
                return None  # the video begins with them
            if contrast[first - 1] < _FLAT:  # it has been flat for long
                return Candidate(2, 1.0)
        elif contrast[place] < _FLAT or contrast[place] > min(
            contrast[place - 1], contrast[place + 1]
        ):
            return None
        before = max(first - _FADE, 0)
        before += int(contrast[before:first].argmax())
        after = last + 1 + int(contrast[last + 1 : last + 1 + _FADE].argmax())
        share = contrast[last] / min(contrast[before], contrast[after])
        if share > _DARKEST or self._difference[before, after] < _CUT:
            return None
        return None if self._is_alike(before, after) else Candidate(2, float(1 - share))

    def _across(self, start: int, end: int) -> float:
        """Return the least difference of two frames up to `start` from two frames from `end` on."""
        return float(self._difference[max(start - 1, 0) : start + 1, end : end + 2].min())

    def _outside(self, start: int, end: int) -> float:
        """Return how far the frames between two are from lying between them, in each value.

        In a dissolve or a wipe, each value goes from the one frame's to the other's; in movement,
        what passes by is in neither.
        """
        one, other = self._frames[start], self._frames[end]
        inner = self._frames[start + 1 : end]
        nearest = np.clip(inner, np.minimum(one, other), np.maximum(one, other))
        return float(np.abs(inner - nearest).mean() / self._difference[start, end])

    def _movement(self, start: int, end: int, length: int) -> float:
        """Return the mean difference over that length before the start and after the end."""
        first, last = max(start - length, 0), min(end + length, self._count - 1)
        movements = [
            self._difference[one, other] * length / (other - one)
            for one, other in ((first, start), (end, last))
            if other - one >= 2
        ]
        return float(sum(movements) / max(len(movements), 1))

    def _is_alike(self, one: int, other: int, least: float = _ALIKE) -> bool:
        first, second = (self._frames[index] - self._frames[index].mean() for index in (one, other))
        size = float(np.sqrt((first @ first) * (second @ second)))
        return float(first @ second) > least * size
