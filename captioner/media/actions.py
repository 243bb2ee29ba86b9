"""One clip of an activity: some frames of a video, where and when something moves."""

import math
import os
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import numpy as np
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.clip import Clip, Footage, Frame
from captioner.media.fetching import Remote, renamed
from captioner.media.files import frame_files, is_frame_folder
from captioner.media.image import load_image
from captioner.media.pixels import Size
from captioner.media.sources import Source, open_footage

# Cameras' noise and compression move every pixel a little; movement is what stands out of it.
_NOISE = 3.0
_STRIDE = 4  # pixels: movement is seen at a quarter of the size as well
_REST = 0.05  # share of all movement that may be left out at either end


def crop_to_motion(frames: np.ndarray, size: tuple[int, int], share: float = 1.0) -> np.ndarray:
    """Cuts the same square out of every frame, around the centre of all movement.

    Whoever acts fills more of the network's small input so, and stands in its middle wherever the
    camera was; a wide frame is not squeezed either.

    Args:
        frames: uint8 (T, H, W, 3), frames of one shot by a camera at rest.
        size: Height and width to which the square is stretched, in pixels.
        share: Side of the square, in (0, 1] of the frame's shorter side.

    Returns:
        uint8 (T, *size, 3); of a clip where nothing moves, its middle.

    Example:
        >>> frames = np.zeros((3, 20, 60, 3), np.uint8)
        >>> frames[1, 8:12, 44:48] = 255
        >>> cropped = crop_to_motion(frames, (20, 20))
        >>> np.argwhere(cropped[1, :, :, 0] > 128).mean(0).round(1).tolist()
        [9.5, 9.5]
    """
    height, width = frames.shape[1:3]
    side = share * min(height, width)
    x, y = _centre_of_motion(frames)
    left = min(max(x - side / 2, 0.0), width - side)
    top = min(max(y - side / 2, 0.0), height - side)
    box = (left, top, left + side, top + side)
    return np.stack(
        [
            np.asarray(Image.fromarray(f).resize(size[::-1], Image.Resampling.BICUBIC, box))
            for f in frames
        ]
    )


def _centre_of_motion(frames: np.ndarray) -> tuple[float, float]:
    grey = frames.mean(-1, dtype=np.float32)  # (T, H, W)
    moved = np.abs(grey - np.median(grey, axis=0)).mean(0)  # (H, W)
    weight = np.maximum(moved - _NOISE * np.median(moved), 0)
    height, width = weight.shape
    total = weight.sum()
    if total == 0:
        return width / 2, height / 2
    x = float(weight.sum(0) @ (np.arange(width) + 0.5) / total)
    y = float(weight.sum(1) @ (np.arange(height) + 0.5) / total)
    return x, y


def motion_span(frames: np.ndarray) -> tuple[int, int]:
    """Find where the action begins and ends: clips often have rest before and after it.

    Args:
        frames: uint8 (T, H, W, 3), at even distances in time, by a camera at rest.

    Returns:
        Number of the first frame, and of the first one behind the action, as for a slice; all of a
        clip in which nothing moves.

    Example:
        >>> frames = np.zeros((9, 4, 4, 3), np.uint8)
        >>> frames[3] = 90
        >>> motion_span(frames)
        (2, 5)
    """
    grey = frames[:, ::_STRIDE, ::_STRIDE].mean(-1, dtype=np.float32)
    change = np.abs(np.diff(grey, axis=0)).mean((1, 2))  # (T - 1,)
    # What the quietest pair of frames differs by is noise.
    moved = np.cumsum(change - change.min(initial=np.inf))
    if not len(moved) or moved[-1] <= 0:
        return 0, len(frames)
    start = int(np.searchsorted(moved, _REST * moved[-1]))
    end = int(np.searchsorted(moved, (1 - _REST) * moved[-1]))
    return start, end + 2  # change k is between frames k and k + 1


_BEFORE_CROP = 2  # times the size of a clip's frames
_LOOKED_AT = 4  # times as many frames as are taken, to see when something moves
_RATE = 25.0  # frames looked at in a second where the length of the clip is not known


def read_action(
    source: Source,
    size: tuple[int, int],
    frames: int = 16,
    crop: float | None = None,
    trim: bool = False,
) -> Iterator[Clip]:
    """Read a source as one clip.

    Args:
        source: What `read_clips` takes, or a folder of numbered frames, which have no times: their
            numbers stand for them.
        size: Height and width to which every frame is stretched, in pixels.
        frames: How many are taken at most, at even distances.
        crop: The `share` of `crop_to_motion`; None keeps the whole frame.
        trim: Whether they are taken from the part where something moves alone; see `motion_span`.

    Yields:
        The clip, 1 to `frames` frames.

    Raises:
        CaptionerError: If it cannot be read, or breaks off.

    Example:
        >>> [clip.frames.shape for clip in read_action(np.zeros((4, 4, 3), np.uint8), (2, 2))]
        [(1, 2, 2, 3)]
    """
    # A frame that is cropped later need not be larger than twice what is kept of it.
    kept = size if crop is None else math.ceil(_BEFORE_CROP * max(size) / crop)
    clip = _read(source, frames * _LOOKED_AT if trim else frames, kept)
    if trim:
        start, end = motion_span(clip.frames)
        chosen = start + np.array(middles(end - start, frames))
        clip = Clip(clip.frames[chosen], clip.times[chosen], clip.span)
    if crop is not None:
        clip = Clip(crop_to_motion(clip.frames, size, crop), clip.times, clip.span)
    yield clip


def _read(source: Source, frames: int, size: Size) -> Clip:
    if isinstance(source, Remote):
        with source.fetched() as path:
            try:
                return _read(path, frames, size)
            except CaptionerError as error:
                raise renamed(error, path, source.url) from error
    if isinstance(source, Clip):
        chosen = middles(len(source.frames), frames)
        images = [load_image(source.frames[place], size=size) for place in chosen]
        return Clip(np.stack(images), source.times[chosen], source.span)
    if isinstance(source, str | os.PathLike):
        if is_frame_folder(source):
            return _read_folder(source, frames, size)
        footage = open_footage(source, size)
        if footage is not None:
            with closing(footage):
                taken = sample_evenly(footage, frames)
            times = np.array([frame.time for frame in taken])
            return Clip(np.stack([f.image for f in taken]), times, (0.0, footage.end))
    return Clip(load_image(source, size=size)[np.newaxis], np.zeros(1))


def _read_folder(folder: str | os.PathLike[str], frames: int, size: Size) -> Clip:
    files = frame_files(folder)
    chosen = middles(len(files), frames)
    images = [load_image(files[place], size=size) for place in chosen]
    if len({image.shape for image in images}) > 1:
        raise CaptionerError(
            f"{os.fsdecode(folder)} has pictures of different sizes: the frames of one clip have "
            "one size; put other pictures elsewhere"
        )
    return Clip(np.stack(images), np.array(chosen, np.float64))


def sample_evenly(footage: Footage, frames: int) -> list[Frame]:
    """Take frames from the middles of equal parts of a film.

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
    """Return the places in the middles of equal parts of a list; all places if these are fewer.

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
