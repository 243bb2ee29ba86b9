"""Anything with pixels, read as clips: a picture is a clip of one frame."""

import math
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from captioner.errors import CaptionerError
from captioner.media.animation import ANIMATED, Animation
from captioner.media.clip import Clip, Footage
from captioner.media.cut_short import read_cut_short
from captioner.media.fetching import Remote, renamed
from captioner.media.files import VIDEO_SUFFIXES
from captioner.media.film_range import FilmRange, NoClipError
from captioner.media.image import MAX_PIXELS, ImageSource, load_image
from captioner.media.image_files import HEAD, MOST_PIPED, recognize
from captioner.media.pixels import Size
from captioner.media.sampling import FRAMES, split_footage
from captioner.media.video import Video

Source = ImageSource | Clip | Remote


def read_clips(
    source: Source | FilmRange,
    size: Size,
    every: float | None = None,
    most: int = FRAMES,
    cut_short: bool = False,
    steps: tuple[int, float] = (0, math.inf),
) -> Iterator[Clip]:
    """Read a source clip by clip; what it is, its content tells, not its name.

    Args:
        source: The path of a video or an animation, which gives its clips as `split_footage` does;
            what `load_image` takes, which gives one clip of one frame; a `Clip`; a `Remote` file,
            which is fetched first; or a `FilmRange`.
        size: Height and width to which every frame is stretched, in pixels; or as of `load_image`.
        every: As for `split_footage`.
        most: As for `split_footage`.
        cut_short: Whether a picture that was cut off a little before its end is taken for one; see
            `read_cut_short`.
        steps: As for `split_footage`.

    Raises:
        CaptionerError: If it cannot be read, or, after the clips before, if it breaks off.

    Example:
        >>> white = np.full((4, 4, 3), 255, np.uint8)
        >>> [clip.frames.shape for clip in read_clips(white, (2, 2))]
        [(1, 2, 2, 3)]
    """
    if isinstance(source, FilmRange):
        steps = (source.first, source.stop)
        yield from read_clips(source.film, size, every, most, cut_short, steps)
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
    if clip is None:  # whoever reads ahead waits for one
        raise NoClipError(f"{footage.name}: no clip begins in this part of it")


def _load(source: ImageSource, size: Size, cut_short: bool) -> tuple[np.ndarray, bool]:
    """Return a picture, and whether only its upper part is there."""
    try:
        return load_image(source, size=size), False
    except CaptionerError:
        content = _content(source) if cut_short else b""
        part = read_cut_short(content, MAX_PIXELS)
        if part is None:
            raise
        return load_image(part, size=size), True


def _content(source: ImageSource) -> bytes:
    """Return the bytes of an image; none of what is no file, or a very large one."""
    if isinstance(source, bytes):
        return source
    if not isinstance(source, str | os.PathLike):
        return b""
    try:
        path = Path(source)
        return path.read_bytes() if path.is_file() and path.stat().st_size < MOST_PIPED else b""
    except (OSError, ValueError):
        return b""


def open_footage(path: str | os.PathLike[str], size: Size) -> Footage | None:
    """Open a video or an animation; None for an image, and for what `load_image` refuses."""
    name = os.fsdecode(path)
    # What a pipe gives is gone once it is looked at.
    if not os.path.isfile(name):  # noqa: PTH113
        return None
    try:
        with Image.open(name) as image:
            if image.format != "MPEG":  # which Pillow knows, but cannot decode
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
        # Of what could be anything, the reader of images says so.
        if kind.is_video or name.lower().endswith(VIDEO_SUFFIXES):
            raise
        return None
