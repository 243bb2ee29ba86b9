"""A clip of an activity: frames of a video, cropped and trimmed to the movement."""

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
from captioner.media.video_range import VideoRange, WholeVideo

# Camera noise and compression change every pixel a little; real movement exceeds that by far.
_NOISE = 3.0
_STRIDE = 4  # pixels; a quarter of the resolution suffices to detect movement
_REST = 0.05  # share of all movement that may be cut off at either end


def crop_to_motion(frames: np.ndarray, size: tuple[int, int], share: float = 1.0) -> np.ndarray:
    """Crop the same square from every frame, around the centre of all movement.

    The acting person then fills more of the network's small input and is in its centre, whatever
    the position of the camera, and a wide frame is not squeezed.

    Args:
        frames: Frames of one shot by a static camera, uint8 (T, H, W, 3).
        size: Height and width to which the square is stretched, in pixels.
        share: Side of the square as a share, in (0, 1], of the frame's shorter side.

    Returns:
        uint8 (T, *size, 3); if nothing moves, the square in the middle of the frame.

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
    """Find the start and end of the action, because clips often are still before and after it.

    Args:
        frames: Evenly spaced frames by a static camera, uint8 (T, H, W, 3).

    Returns:
        Start and stop of the action as frame indices of a slice; the entire clip if nothing moves.

    Example:
        >>> frames = np.zeros((9, 4, 4, 3), np.uint8)
        >>> frames[3] = 90
        >>> motion_span(frames)
        (2, 5)
    """
    grey = frames[:, ::_STRIDE, ::_STRIDE].mean(-1, dtype=np.float32)
    change = np.abs(np.diff(grey, axis=0)).mean((1, 2))  # (T - 1,)
    # The smallest difference of two neighbouring frames is noise.
    moved = np.cumsum(change - change.min(initial=np.inf))
    if not len(moved) or moved[-1] <= 0:
        return 0, len(frames)
    start = int(np.searchsorted(moved, _REST * moved[-1]))
    end = int(np.searchsorted(moved, (1 - _REST) * moved[-1]))
    return start, end + 2  # change k is between frames k and k + 1


_BEFORE_CROP = 2  # factor by which frames are larger before they are cropped
_LOOKED_AT = 4  # frames examined for movement, per frame that is taken
_RATE = 25.0  # frames per second examined if the duration of the clip is unknown


def read_action(
    source: Source,
    size: tuple[int, int],
    frames: int = 16,
    crop: float | None = None,
    trim: bool = False,
) -> Iterator[Clip]:
    """Read a source as one clip.

    Args:
        source: Any source of `read_clips`, or a folder of numbered frames, which have no times:
            their numbers are used as times.
        size: Height and width to which every frame is stretched, in pixels.
        frames: Maximum number of frames, evenly spaced.
        crop: The `share` of `crop_to_motion`; None keeps the whole frame.
        trim: If True, frames are taken only from the part with movement; see `motion_span`.

    Yields:
        The clip, with 1 to `frames` frames.

    Raises:
        CaptionerError: If the source cannot be read or is truncated.

    Example:
        >>> [clip.frames.shape for clip in read_action(np.zeros((4, 4, 3), np.uint8), (2, 2))]
        [(1, 2, 2, 3)]
    """
    # Before cropping, twice the final resolution suffices.
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
    if isinstance(source, VideoRange | WholeVideo):  # an action has all frames
        return _read(source.video, frames, size)
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
            f"{os.fsdecode(folder)} has images of different sizes: the frames of a clip must have "
            "the same size; move other images elsewhere"
        )
    return Clip(np.stack(images), np.array(chosen, np.float64))


def sample_evenly(footage: Footage, frames: int) -> list[Frame]:
    """Take frames from the middles of equal parts of a video.

    Args:
        footage: The whole video.
        frames: Maximum number of frames, at least 1; a video with fewer gives each of them once.

    Returns:
        1 to `frames` different frames, in the order of their times.

    Raises:
        CaptionerError: If the video has no frame or is truncated.

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
            if len(kept) == 4 * frames:  # keeps memory independent of the video's length
                kept, stride = kept[::2], 2 * stride
    return [kept[place] for place in middles(len(kept), frames)]


def middles(total: int, parts: int) -> list[int]:
    """Return the indices at the middles of equal parts of a list, or all if it has fewer items.

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
