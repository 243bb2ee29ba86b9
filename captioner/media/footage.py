"""What videos and animations have in common: frames at the times that are asked for."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from captioner.errors import CaptionerError, unreadable

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
