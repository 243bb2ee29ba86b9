"""Frames that are described together."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clip:
    """Some frames of a video, or a picture: a clip of one frame.

    Attributes:
        frames: uint8 (T, H, W, 3), RGB, in the order of their times.
        times: float (T,), seconds since the start of the video.
        span: Where the clip begins and ends in the video, in seconds; None for a picture.
        partial: Whether it is the upper part of a picture that was cut off before its end.
    """

    frames: np.ndarray
    times: np.ndarray
    span: tuple[float, float] | None = None
    partial: bool = False
