"""Standard input as `caption -` takes it: a list of paths, or an image."""

import os
from collections.abc import Iterator
from io import BufferedIOBase

from captioner.errors import unreadable
from captioner.media.image_files import MOST_PIPED

PATH = "-"  # the path of an image on standard input, in arguments and rows
_LEAST = 64  # bytes needed to recognize an image


class StandardInput:
    r"""Paths, one per line, or the bytes of one image, recognized by the first bytes.

    Args:
        stream: Input stream, read once, and only when `paths` is.

    Example:
        >>> from io import BytesIO
        >>> list(StandardInput(BytesIO(b"a.jpg\nb.jpg\r\n")).paths())
        ['a.jpg', 'b.jpg']
    """

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self._image: bytes | None = None

    def paths(self) -> Iterator[str]:
        """Yield each path as it arrives, or `PATH` for an image.

        Raises:
            CaptionerError: If an image has more bytes than the memory limit.
        """
        # A list may arrive slowly, line by line.
        head = part = self._stream.read1()
        while part and len(head) < _LEAST and not head.endswith(b"\n"):
            part = self._stream.read1()
            head += part
        if _is_binary(head):
            self._image = head + self._stream.read(MOST_PIPED + 1 - len(head))
            if len(self._image) > MOST_PIPED:
                reason = f"more than {MOST_PIPED >> 20} MiB on standard input"
                raise unreadable(PATH, reason, "save it as a file first, and name that")
            yield PATH
            return
        for line in self._lines(head):
            if name := line.rstrip(b"\r\n"):
                yield os.fsdecode(name)

    def _lines(self, head: bytes) -> Iterator[bytes]:
        *whole, rest = head.split(b"\n")
        yield from whole
        yield rest + self._stream.readline()
        yield from self._stream

    def source(self, path: str) -> str | bytes:
        """Return the source to read for a path: the image for `PATH`, or else the path."""
        return self._image if self._image is not None and path == PATH else path


def _is_binary(head: bytes) -> bool:
    """Return True for an image or other data that are not a list: no path has a zero byte."""
    if b"\0" in head:
        return True
    from captioner.media.image import is_image

    return is_image(head)
