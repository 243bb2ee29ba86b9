"""Clips of different lengths as arrays: encoded, smoothed, and padded into one batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from captioner.arrays import ClipFeatures, FrameMask
from captioner.media.clip import Clip

_MEAN = 0.25  # share of the mean; docs/video.md compares other shares


def encode_clips(
    encode: Callable[[np.ndarray], Any], clips: Mapping[int, Clip], batch_size: int
) -> Iterator[tuple[int, ClipFeatures]]:
    """Encode the frames of several clips together.

    Args:
        encode: `VGG16Encoder`, or a compiled form of it.
        clips: Clips by index.
        batch_size: Number of frames in one pass of the network.

    Yields:
        The index and the features (T, P, C) of each clip.
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
    """Stack clips of different lengths, with zeros after the shorter ones.

    Args:
        clips: Frames or features of each clip, (T, ...).
        frames: Length of the result; None for the longest clip's, at least 1.

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
    """Pad the last batch, so that one shape is compiled and results do not depend on its size."""
    missing = batch_size - len(images)
    return np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])


def smooth_frames(features: ClipFeatures) -> ClipFeatures:
    """Blend each frame with the mean of all frames.

    To a model of still images, details of a single frame are often noise: blur, compression
    artifacts, a momentary pose. The mean over the frames has less noise but shows no moment, so
    the result is a mixture of both. A single frame remains unchanged.

    Args:
        features: Features of the frames of one clip, float (T, P, C).

    Returns:
        An array of the same shape and type.

    Example:
        >>> smooth_frames(np.array([[[0.0]], [[4.0]]]))[:, 0, 0]
        array([0.5, 3.5])
    """
    mean = features.mean(axis=0, keepdims=True)
    return (1 - _MEAN) * features + _MEAN * mean
