"""Clips: frames that are described together, at requested times."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from captioner.arrays import Frames, Times
from captioner.errors import CaptionerError, unreadable


@dataclass(frozen=True)
class Clip:
    """Frames of a video, or an image as a clip of one frame.

    Attributes:
        frames: RGB frames in the order of their times, uint8 (T, H, W, 3).
        times: Seconds since the start of the video, float (T,).
        span: Start and end of the clip in the video, in seconds; None for an image.
        partial: True for the upper part of an image whose file was cut off before its end.
    """

    frames: Frames
    times: Times
    span: tuple[float, float] | None = None
    partial: bool = False


LONGEST = 24 * 3600.0  # seconds; a file may state times of thousands of years


class Frame(NamedTuple):
    """The frame that is shown at a requested time.

    Attributes:
        asked: Requested time, in seconds since the start.
        time: Time at which the frame appears; two requested times may have the same frame.
        image: Upright RGB, uint8 (H, W, 3).
    """

    asked: float
    time: float
    image: np.ndarray


class Footage(Protocol):
    """A source of timed frames.

    Attributes:
        name: Path of the file, for error messages.
        duration: Duration in seconds, as stated by the file, or None.
        end: Time in seconds at which the display of the last frame read so far ends.
    """

    name: str
    duration: float | None
    end: float

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Yield the frame that is shown at each of the increasing `times`, up to the end.

        Raises:
            CaptionerError: If there is no frame; or, after the frames before it, at damage or when
                the file exceeds `LONGEST`.
        """

    def close(self) -> None:
        """Close the file."""


def too_long(name: str) -> CaptionerError:
    """Return the error for a file that exceeds `LONGEST`."""
    reason = f"its times exceed {LONGEST / 3600:.0f} hours"
    return unreadable(f"all of {name}", reason, "cut it into shorter parts")
