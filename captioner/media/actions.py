"""One clip of an activity: some frames over the whole of a video or a folder of frames."""

import math
import os
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import numpy as np

from captioner.errors import CaptionerError
from captioner.media.clip import Clip
from captioner.media.clip_files import frame_files, is_frame_folder
from captioner.media.footage import Footage, Frame
from captioner.media.image import load_image
from captioner.media.motion import crop_to_motion, motion_span
from captioner.media.pixels import Size
from captioner.media.remote import Remote, renamed
from captioner.media.sources import Source, open_footage

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
