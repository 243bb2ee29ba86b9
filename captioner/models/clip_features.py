"""Clips of unequal lengths as arrays: through the encoder, smoothed, and padded into one batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from captioner.arrays import ClipFeatures, FrameMask
from captioner.media.clip import Clip

_MEAN = 0.25  # share of the mean; docs/video.md has what other shares give


def encode_clips(
    encode: Callable[[np.ndarray], Any], clips: Mapping[int, Clip], batch_size: int
) -> Iterator[tuple[int, ClipFeatures]]:
    """Encode the frames of several clips together.

    Args:
        encode: A `VGG16Encoder`, or what is compiled of it.
        clips: Clips by number.
        batch_size: Frames in one pass of the network.

    Yields:
        Each number, and the clip's features (T, P, C).
    """
    if not clips:
        return
    frames = np.concatenate([clip.frames for clip in clips.values()])  # (N, H, W, 3), N of all
    encoded = np.concatenate(
        [
            np.asarray(encode(_fill_up(part, batch_size)[:, np.newaxis]))[: len(part), 0]
            for part in np.array_split(frames, range(batch_size, len(frames), batch_size))
        ]
    )  # (N, P, C)
    ends = np.cumsum([len(clip.frames) for clip in clips.values()])
    yield from zip(clips, np.split(encoded, ends[:-1]), strict=True)


def pad_clips(
    clips: Sequence[np.ndarray], frames: int | None = None
) -> tuple[np.ndarray, FrameMask]:
    """Stack clips of unequal lengths, with zeros behind the shorter ones.

    Args:
        clips: Frames or features of each clip, (T, ...).
        frames: Length of the result; None for that of the longest clip, at least 1.

    Returns:
        The clips (B, frames, ...), and a mask, bool (B, frames), False for padding frames.

    Example:
        >>> stacked, mask = pad_clips([np.ones((2, 3)), np.ones((1, 3))])
        >>> stacked.shape, mask.tolist()
        ((2, 2, 3), [[True, True], [True, False]])
    """
    lengths = np.array([len(clip) for clip in clips])
    frames = max(1, frames or lengths.max())
    stacked = np.zeros((len(clips), frames, *clips[0].shape[1:]), clips[0].dtype)
    for row, clip in enumerate(clips):
        stacked[row, : len(clip)] = clip
    return stacked, np.arange(frames) < lengths[:, np.newaxis]


def _fill_up(images: np.ndarray, batch_size: int) -> np.ndarray:
    """Fill the last batch up: one shape is compiled, and an image's bits do not depend on it."""
    missing = batch_size - len(images)
    return np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])


def smooth_frames(features: ClipFeatures) -> ClipFeatures:
    """Blends each frame with the mean of all frames.

    What is in one frame alone is often noise to a model of pictures: blur, blocks of compression,
    a moment's pose. The mean over the frames has less of it, but no moment either; so each frame is
    given some of both. A single frame stays as it is.

    Args:
        features: float (T, P, C), of the frames of one clip.

    Returns:
        The same shape and type.

    Example:
        >>> smooth_frames(np.array([[[0.0]], [[4.0]]]))[:, 0, 0]
        array([0.5, 3.5])
    """
    mean = features.mean(axis=0, keepdims=True)
    return (1 - _MEAN) * features + _MEAN * mean
