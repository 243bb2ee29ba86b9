"""The file of an image, opened: what a path may be, and what is wrong with it if it is not."""

import os
import re
import selectors
import stat
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from captioner.errors import CaptionerError, unreadable

MOST_PIPED = 256 * 2**20  # bytes; what a pipe gives is held in memory
_WRITER_WAIT = 2.0  # seconds for something to open a pipe for writing
_DATA_WAIT = 60.0  # seconds for it to write


def open_image_file(name: str) -> BinaryIO:
    r"""Open a regular file, or read what a pipe gives.

    Args:
        name: Path of either, such as the shell's <(...).

    Returns:
        A stream that can go back to its start, as Pillow needs.

    Raises:
        CaptionerError: If it is neither, cannot be opened, or if nobody writes to the pipe.

    Example:
        >>> with open_image_file("data/samples/cat.jpg") as file:
        ...     file.read(2)
        b'\xff\xd8'
    """
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116
        if stat.S_ISFIFO(mode):
            return BytesIO(_read_pipe(name))
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            # A device may never end, or do something as it is read.
            raise unreadable(name, "a device or socket, not a file", "name an image or a video")
        return Path(name).open("rb")
    except FileNotFoundError as error:
        raise _missing(name) from error
    except (OSError, ValueError) as error:
        # Path.is_dir raises on some names.
        if os.path.isdir(name) and os.access(name, os.R_OK):  # noqa: PTH112
            fix = "name an image, or a folder that holds images"
            raise unreadable(name, "a folder, not an image", fix) from error
        if isinstance(error, PermissionError):
            raise unreadable(name, "permission denied", "make it readable") from error
        reason = getattr(error, "strerror", None) or str(error)
        raise unreadable(name, reason, "check the path and the disk") from error


def _missing(name: str) -> CaptionerError:
    if name.startswith("~"):
        reason = "no such file: the shell expands ~ only outside quotes"
        return unreadable(name, reason, f"write {os.path.expanduser(name)}")  # noqa: PTH111
    if re.match(r"file:/", name, re.IGNORECASE):
        path = unquote(urlsplit(name).path)
        return unreadable(name, "a URL, not a path", f"write {path}")
    if re.match(r"[a-z][a-z0-9+.-]+://", name, re.IGNORECASE):
        web = re.match(r"https?://", name, re.IGNORECASE)
        fix = (
            "give --fetch, or download it first" if web else "download it first, and name the file"
        )
        return unreadable(name, "a URL: nothing is fetched from the network", fix)
    return unreadable(name, "no such file", "check the path")


def _read_pipe(name: str) -> bytes:
    """Read a pipe to its end, without waiting for ever for a writer."""
    # Without O_NONBLOCK, to open a pipe is to wait for its writer.
    pipe = os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    parts: list[bytes] = []
    size = 0
    opened = monotonic()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while True:
                try:
                    part = os.read(pipe, 2**20)
                except BlockingIOError:  # It has a writer, which has written nothing new.
                    if not selector.select(_DATA_WAIT):
                        raise _silent(name, _DATA_WAIT) from None
                    continue
                if not part and parts:
                    return b"".join(parts)
                if not part:  # no writer, or one that wrote nothing
                    if monotonic() - opened > _WRITER_WAIT:
                        raise _silent(name, _WRITER_WAIT)
                    sleep(0.01)
                    continue
                parts.append(part)
                size += len(part)
                if size > MOST_PIPED:
                    reason = f"a pipe that gives more than {MOST_PIPED >> 20} MiB"
                    raise unreadable(name, reason, "save it as a file first")
    finally:
        os.close(pipe)


def _silent(name: str, seconds: float) -> CaptionerError:
    reason = f"a pipe to which nothing was written for {seconds:.0f} seconds"
    return unreadable(name, reason, "write an image to it, or name a file")
