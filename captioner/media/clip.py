"""Clips: frames that are described together, at the times that are asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from captioner.arrays import Frames, Times
from captioner.errors import CaptionerError, unreadable


@dataclass(frozen=True)
class Clip:
    """Some frames of a video, or a picture: a clip of one frame.

    Attributes:
        frames: uint8 (T, H, W, 3), RGB, in the order of their times.
        times: float (T,), seconds since the start of the video.
        span: Where the clip begins and ends in the video, in seconds; None for a picture.
        partial: Whether it is the upper part of a picture that was cut off before its end.
    """

    frames: Frames
    times: Times
    span: tuple[float, float] | None = None
    partial: bool = False


LONGEST = 24 * 3600.0  # seconds; a file may state times of thousands of years


class Frame(NamedTuple):
    """A frame on screen.

    Attributes:
        asked: The time that was asked for, in seconds since the start.
        time: When the frame appeared; two times asked for may have the same frame.
        image: uint8 (H, W, 3), upright RGB.
    """

    asked: float
    time: float
    image: np.ndarray


class Footage(Protocol):
    """Frames in time.

    Attributes:
        name: Path of the file, for error messages.
        duration: Seconds, as the file states it beforehand, or None.
        end: Seconds at which the last frame seen so far leaves the screen.
    """

    name: str
    duration: float | None
    end: float

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Yield the frame on screen at each of the rising `times`, up to the end.

        Raises:
            CaptionerError: If there is no frame, or, after the frames before, if the file breaks
                or goes on for more than `LONGEST`.
        """

    def close(self) -> None:
        """Close the file."""


def too_long(name: str) -> CaptionerError:
    """Return the error for what goes on for more than `LONGEST`."""
    reason = f"its times go beyond {LONGEST / 3600:.0f} hours"
    return unreadable(f"all of {name}", reason, "cut it into shorter parts")
