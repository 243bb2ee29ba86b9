"""The encoder over clips of unequal lengths."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from captioner.media.clip import Clip


def encode_clips(
    encode: Callable[[np.ndarray], Any], clips: Mapping[int, Clip], batch_size: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Encodes the frames of several clips together.

    Args:
        encode: A `VGG16Encoder`, or what is compiled of it.
        clips: By number.
        batch_size: Frames in one pass of the network.

    Yields:
        Each number, and the clip's features (T, P, C).
    """
    if not clips:
        return
    frames = np.concatenate([clip.frames for clip in clips.values()])  # (N, H, W, 3), N of all
    encoded = np.concatenate(
        [
            np.asarray(encode(_padded(part, batch_size)[:, np.newaxis]))[: len(part), 0]
            for part in np.array_split(frames, range(batch_size, len(frames), batch_size))
        ]
    )  # (N, P, C)
    ends = np.cumsum([len(clip.frames) for clip in clips.values()])
    yield from zip(clips, np.split(encoded, ends[:-1]), strict=True)


def _padded(images: np.ndarray, batch_size: int) -> np.ndarray:
    """Fills the last batch up: one shape is compiled, and a picture's bits do not depend on it."""
    missing = batch_size - len(images)
    return np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])
