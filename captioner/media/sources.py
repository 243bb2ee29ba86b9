"""Any image or video source, or a part of a video, read as clips; an image has one frame."""

import math
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from captioner.errors import CaptionerError
from captioner.media.animation import ANIMATED, Animation
from captioner.media.clip import Clip, Footage
from captioner.media.cut_short import read_cut_short
from captioner.media.fetching import Remote, renamed
from captioner.media.files import VIDEO_SUFFIXES
from captioner.media.image import MAX_PIXELS, ImageSource, load_image
from captioner.media.image_files import HEAD, MOST_PIPED, recognize
from captioner.media.pixels import Size
from captioner.media.sampling import FRAMES, split_footage
from captioner.media.video import Video
from captioner.media.video_range import NoClipError, VideoRange, WholeVideo

Source = ImageSource | Clip | Remote | VideoRange | WholeVideo


def read_clips(
    source: Source,
    size: Size,
    every: float | None = None,
    most: int = FRAMES,
    cut_short: bool = False,
    steps: tuple[int, float] = (0, math.inf),
) -> Iterator[Clip]:
    """Read a source clip by clip; its type is recognized by content, not by name.

    Args:
        source: The path of a video or an animation, which is split by `split_footage`; any source
            of `load_image`, which is one clip of one frame; a `Clip`; a `Remote` file, which is
            fetched first; a `VideoRange`; or a `WholeVideo`, whose clip has no span.
        size: Height and width to which every frame is stretched, in pixels, or another size as for
            `load_image`.
        every: The same as for `split_footage`.
        most: The same as for `split_footage`.
        cut_short: If True, images that were cut off shortly before their end are accepted; see
            `read_cut_short`.
        steps: The same as for `split_footage`.

    Raises:
        CaptionerError: If it cannot be read; or, after the clips before it, at a truncated end.

    Example:
        >>> white = np.full((4, 4, 3), 255, np.uint8)
        >>> [clip.frames.shape for clip in read_clips(white, (2, 2))]
        [(1, 2, 2, 3)]
    """
    if isinstance(source, WholeVideo):
        whole = read_clips(source.video, size, math.inf, most, cut_short)
        yield from (replace(clip, span=None) for clip in whole)
        return
    if isinstance(source, VideoRange):
        steps = (source.first, source.stop)
        yield from read_clips(source.video, size, every, most, cut_short, steps)
        return
    if isinstance(source, Remote):
        with source.fetched() as path:
            try:
                yield from read_clips(path, size, every, most, cut_short, steps)
            except NoClipError:
                raise
            except CaptionerError as error:
                raise renamed(error, path, source.url) from error
        return
    if isinstance(source, Clip):
        frames = np.stack([load_image(frame, size=size) for frame in source.frames])
        yield Clip(frames, source.times, source.span)
        return
    footage = open_footage(source, size) if isinstance(source, str | os.PathLike) else None
    if footage is None:
        image, partial = _load(source, size, cut_short)
        yield Clip(image[np.newaxis], np.zeros(1), partial=partial)
        return
    with closing(footage):
        clip = None
        for clip in split_footage(footage, every, most, steps):
            yield clip
    if clip is None:  # a thread that reads ahead expects at least one
        raise NoClipError(f"{footage.name}: no clip begins in this part of it")


def _load(source: ImageSource, size: Size, cut_short: bool) -> tuple[np.ndarray, bool]:
    """Return an image, and True if only its upper part is present."""
    try:
        return load_image(source, size=size), False
    except CaptionerError:
        content = _content(source) if cut_short else b""
        part = read_cut_short(content, MAX_PIXELS)
        if part is None:
            raise
        return load_image(part, size=size), True


def _content(source: ImageSource) -> bytes:
    """Return the bytes of an image file; empty if it is not a file, or very large."""
    if isinstance(source, bytes):
        return source
    if not isinstance(source, str | os.PathLike):
        return b""
    try:
        path = Path(source)
        return path.read_bytes() if path.is_file() and path.stat().st_size < MOST_PIPED else b""
    except (OSError, ValueError):
        return b""


def is_footage(path: str | os.PathLike[str]) -> bool:
    """Return True for a video or an animation, and False for any other source.

    Raises:
        CaptionerError: If it is a video that cannot be opened.

    Example:
        >>> is_footage("data/samples/shepherd_and_cat.mp4"), is_footage("data/samples/cat.jpg")
        (True, False)
    """
    footage = open_footage(path, None)
    if footage is not None:
        footage.close()
    return footage is not None


def open_footage(path: str | os.PathLike[str], size: Size) -> Footage | None:
    """Open a video or an animation; None for an image, and for a file `load_image` rejects."""
    name = os.fsdecode(path)
    # The data of a pipe can be read only once.
    if not os.path.isfile(name):  # noqa: PTH113
        return None
    try:
        with Image.open(name) as image:
            if image.format != "MPEG":  # Pillow recognizes MPEG, but cannot decode it
                moves = image.format in ANIMATED and getattr(image, "is_animated", False)
                return Animation(name, size) if moves else None
    except UnidentifiedImageError:
        pass
    except CaptionerError:
        raise
    except Exception:  # Pillow's parsers raise nearly anything on damaged files.
        return None
    try:
        with Path(name).open("rb") as file:
            kind = recognize(file.read(HEAD))
    except OSError:
        return None
    if not kind.may_be_video:
        return None
    try:
        return Video(name, size)
    except CaptionerError:
        # For a file of unknown type, the image reader reports the error.
        if kind.is_video or name.lower().endswith(VIDEO_SUFFIXES):
            raise
        return None
