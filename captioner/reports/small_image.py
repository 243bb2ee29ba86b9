"""JPEG thumbnails of images and of video frames."""

import io
from contextlib import closing
from pathlib import Path

from PIL import Image

from captioner.errors import unreadable
from captioner.media.image import load_image
from captioner.media.sources import open_footage

_QUALITY = 70


def small_image(path: Path, side: int, at: float = 0.0) -> bytes:
    r"""Return a thumbnail of an image or a video frame.

    Args:
        path: Path of the image or video.
        side: Maximum number of pixels of the shorter side.
        at: Time in a video, in seconds; the first frame is used if the video is shorter.

    Returns:
        The content of a JPEG file.

    Raises:
        CaptionerError: If the file cannot be read.

    Example:
        >>> small_image(Path("data/samples/cat.jpg"), 40)[:2]
        b'\xff\xd8'
    """
    footage = open_footage(path, side)
    if footage is None:
        pixels = load_image(path, size=side)
    else:
        with closing(footage):
            frame = next(iter(footage.frames([at])), None)
        if frame is None:
            if at:
                return small_image(path, side)
            raise unreadable(str(path), "a video without a single frame", "record it again")
        pixels = frame.image
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY, optimize=True)
    return stream.getvalue()
