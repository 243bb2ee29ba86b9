"""What a library knows of a file besides its captions: its size in pixels and its date."""

import re
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import ExifTags, Image

from captioner.errors import CaptionerError
from captioner.media.containers import open_container

_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d:\d\d:\d\d)")


@dataclass(frozen=True)
class Facts:
    """Facts of a picture or clip; None for what the file does not tell.

    Attributes:
        width: In pixels, upright.
        height: In pixels, upright.
        taken: Date and time of a photograph, as "2024-05-17 12:30:00", in the camera's time zone.
    """

    width: int | None = None
    height: int | None = None
    taken: str | None = None


def read_facts(path: Path) -> Facts:
    """Read the headers of a file; what cannot be read has no facts, and raises nothing.

    Example:
        >>> facts = read_facts(Path("data/samples/cat.jpg"))
        >>> facts.width, facts.height
        (451, 300)
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            exif = image.getexif()
            if exif.get(ExifTags.Base.Orientation, 1) >= 5:
                width, height = height, width
            details = exif.get_ifd(ExifTags.IFD.Exif)
            date = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
            return Facts(width, height, _parse(str(date or "")))
    except Exception:  # Pillow's parsers raise nearly anything; a video is no image to it.
        pass
    try:
        container, stream = open_container(str(path))
        with container:
            return Facts(stream.width, stream.height)
    except (CaptionerError, av.FFmpegError, OSError):
        return Facts()


def _parse(date: str) -> str | None:
    found = _DATE.match(date)
    return None if found is None else "{}-{}-{} {}".format(*found.groups())
