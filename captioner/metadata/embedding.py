"""Descriptions embedded in image files, without changing their pixels."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from captioner.errors import CaptionerError
from captioner.metadata.image_chunks import (
    read_jpeg,
    read_png,
    read_webp,
    write_jpeg,
    write_png,
    write_webp,
)
from captioner.metadata.xmp import PROPERTIES, Existing, read_texts, write_texts
from captioner.replacing import replacing


class _Container(NamedTuple):
    read: Callable[[bytes], bytes]
    write: Callable[[bytes, bytes], bytes]


_JPEG = _Container(read_jpeg, write_jpeg)
_PNG = _Container(read_png, write_png)
_WEBP = _Container(read_webp, write_webp)


def is_described(path: Path) -> bool:
    """Return True if an image file contains a description and an alternative text.

    Raises:
        CaptionerError: If the file cannot be read, or its metadata are damaged.
    """
    data, container = _open(path)
    try:
        packet = container.read(data)
        return bool(packet) and len(read_texts(packet)) == len(PROPERTIES)
    except CaptionerError as error:
        raise _refused(path, error) from error


def embed(path: Path, text: str, existing: Existing) -> None:
    """Write a text into an image file's own metadata.

    The bytes of its pixels and all other metadata stay unchanged. The file is replaced when the
    new one is complete.

    Args:
        path: Path of a JPEG, PNG or WebP file; if it is a link, its target is replaced.
        text: See `write_texts`.
        existing: See `write_texts`.

    Raises:
        CaptionerError: If the file has another format, is damaged, or cannot be replaced.
    """
    path = path.resolve()
    data, container = _open(path)
    try:
        packet = container.read(data)
        written = write_texts(packet, text, existing)
        if packet and read_texts(packet) == read_texts(written):
            return
        new = container.write(data, written)
    except CaptionerError as error:
        raise _refused(path, error) from error
    with replacing(path) as partial:
        partial.write_bytes(new)


def _open(path: Path) -> tuple[bytes, _Container]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CaptionerError(f"cannot read {path} ({error.strerror}): check the path") from error
    if data.startswith(b"\xff\xd8"):
        return data, _JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data, _PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return data, _WEBP
    raise _refused(path, CaptionerError("it is not a JPEG, PNG or WebP file"))


def _refused(path: Path, reason: CaptionerError) -> CaptionerError:
    return CaptionerError(
        f"cannot write a description into {path} ({reason}): use --sidecar xmp for it"
    )
