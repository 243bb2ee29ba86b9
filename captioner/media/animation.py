"""Animated images: GIF, APNG, WebP and AVIF, decoded by Pillow."""

from collections.abc import Iterable, Iterator
from itertools import count

from PIL import Image

from captioner.errors import CaptionerError, unreadable
from captioner.media.clip import LONGEST, Frame, too_long
from captioner.media.image import load_image
from captioner.media.pixels import Size

ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
_SHORTEST = 0.011  # seconds; browsers show frames with shorter durations for 0.1 seconds
_INSTEAD = 0.1
_MOST_PIXELS = 2**23  # of a frame, about 4K; decoders hold several frames
# Pixels of all frames: a file of 400 kB can hold 20,000 frames, which take half a minute to decode.
_MOST_IN_ALL = 2**32
_LEAST = 2**16  # minimum pixels that a frame counts for


class Animation:
    """The frames of an animated image at requested times, played once.

    Pillow, not FFmpeg, reads them, so that transparency is composited over white as in any image.

    Args:
        name: Path of the file.
        size: The same as for `load_image`.

    Raises:
        CaptionerError: If the file cannot be opened, or its frames are too large.
    """

    duration: float | None = None  # only known once every frame has been read

    def __init__(self, name: str, size: Size = None) -> None:
        self.name = name
        self._size = size
        self.end = 0.0
        try:
            self._image = Image.open(name)
        except Exception as error:
            raise self._broken(error) from error
        width, height = self._image.size
        self._pixels = width * height
        if self._pixels > _MOST_PIXELS:
            self._image.close()
            reason = f"an animation of {width} x {height} pixels, over the limit of {_MOST_PIXELS}"
            raise unreadable(name, reason, "scale it down, or convert it to MP4")

    def close(self) -> None:
        """See `Footage`."""
        self._image.close()

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """See `Footage`."""
        asked_for = iter(times)
        asked = next(asked_for, None)
        work = 0
        for number in count():
            work += max(self._pixels, _LEAST)
            try:
                self._image.seek(number)
                if work > _MOST_IN_ALL:
                    raise self._too_much(number)
                self._image.load()  # the duration of a WebP frame is known only after loading
                start, end = self.end, self.end + self._seconds()
                shown = asked is not None and asked < end
                image = load_image(self._image, size=self._size) if shown else None
            except EOFError:
                return
            except CaptionerError:
                raise
            except Exception as error:  # Pillow's parsers raise nearly anything on damaged files.
                raise self._broken(error) from error
            self.end = end
            while image is not None and asked is not None and asked < end:
                if asked > LONGEST:
                    raise too_long(self.name)
                yield Frame(asked, start, image)
                asked = next(asked_for, None)

    def _too_much(self, number: int) -> CaptionerError:
        reason = f"more than {number} frames of {self._image.width} x {self._image.height} pixels"
        return unreadable(f"all of {self.name}", reason, "convert it to MP4")

    def _seconds(self) -> float:
        stated = float(self._image.info.get("duration", 0)) / 1000
        return stated if stated >= _SHORTEST else _INSTEAD

    def _broken(self, error: Exception) -> CaptionerError:
        where = f"all of {self.name}" if self.end else self.name
        return CaptionerError(f"cannot read {where} (damaged: {error}): fetch it again")
