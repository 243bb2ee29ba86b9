"""Animated pictures: GIF, APNG, WebP and AVIF, decoded by Pillow."""

from collections.abc import Iterable, Iterator
from itertools import count

from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.footage import Frame
from captioner.media.image import load_image

ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
_SHORTEST = 0.011  # seconds; browsers show frames that state less for a tenth of a second
_INSTEAD = 0.1


class Animation:
    """The frames of an animated picture at the times that are asked for, played once.

    Pillow reads them rather than FFmpeg, for their transparency is then laid over white as that of
    any picture is.

    Args:
        name: Path of the file.
        size: Height and width in pixels to which frames are stretched; None keeps their size.

    Raises:
        CaptionerError: If the file cannot be opened.
    """

    duration: float | None = None  # only known once every frame has been read

    def __init__(self, name: str, size: tuple[int, int] | None = None) -> None:
        self._name = name
        self._size = size
        self.end = 0.0
        try:
            self._image = Image.open(name)
        except Exception as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """See `Footage`."""
        self._image.close()

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """See `Footage`."""
        asked_for = iter(times)
        asked = next(asked_for, None)
        for number in count():
            try:
                self._image.seek(number)
                image = load_image(self._image, size=self._size)
            except EOFError:
                return
            except CaptionerError:
                raise
            except Exception as error:  # Pillow's parsers raise nearly anything on damaged files.
                raise self._broken(error) from error
            start = self.end
            self.end += self._seconds()
            while asked is not None and asked < self.end:
                yield Frame(asked, start, image)
                asked = next(asked_for, None)

    def _seconds(self) -> float:
        stated = float(self._image.info.get("duration", 0)) / 1000
        return stated if stated >= _SHORTEST else _INSTEAD

    def _broken(self, error: Exception) -> CaptionerError:
        where = f"all of {self._name}" if self.end else self._name
        return CaptionerError(f"cannot read {where} (damaged: {error}): fetch it again")
