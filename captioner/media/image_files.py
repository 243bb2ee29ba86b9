"""Opening of image files and pipes, and recognition of files that are not images."""

import os
import re
import selectors
import stat
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote, urlsplit

from captioner.errors import CaptionerError, unreadable
from captioner.media.tar_members import read_member

HEAD = 4096  # bytes that are examined

_CONVERT = "convert it to JPEG or PNG"
_FETCH = "fetch it again"


class Kind(NamedTuple):
    """The kind of a file.

    Attributes:
        name: Description for the error message.
        fix: Advice for the user.
        may_be_video: True if it is worth opening as a video.
        is_video: True if it is a video, or claims to be.
    """

    name: str
    fix: str
    may_be_video: bool = False
    is_video: bool = False


_UNKNOWN = Kind(
    "not an image, or in a format that Pillow does not know",
    "name an image or a video, or convert it to JPEG, PNG or MP4",
    may_be_video=True,
)
_ISO_MEDIA = Kind("a video or another ISO media file", "give it as a file", True, True)
_VIDEO = Kind("a video", "give it as a file", True, True)
_PLAYLIST = Kind("a playlist, which names other files", "name the videos themselves")
_AUDIO = Kind("audio without images", "name an image or a video")
_ARCHIVE = Kind("an archive", "unpack it, and name its images and videos")
_HTML = Kind("an HTML page", "download the image or video itself, not the page that shows it")

_JPEG_XL = Kind(
    "a JPEG XL image, damaged or without its plug-in",
    "pip install 'captioner[jxl]', or convert it to JPEG or PNG",
)
_PDF = Kind("a PDF document", "export its pages as PNG")
_LFS = Kind("a Git LFS pointer, not the file itself", "run `git lfs pull`")

_SIGNATURES = {
    b"version https://git-lfs.github.com/spec/": _LFS,
    b"%PDF": _PDF,
    b"\xff\x0a": _JPEG_XL,
    b"\x00\x00\x00\x0cJXL ": _JPEG_XL,
    b"ffconcat": _PLAYLIST,
    b"#EXTM3U": _PLAYLIST,
    b"# VobSub index file": _PLAYLIST,
    b"v=0\r\no=": _PLAYLIST,  # RFC 8866, a session description
    b"v=0\no=": _PLAYLIST,
    b"ID3": _AUDIO,
    b"fLaC": _AUDIO,
    b"#!AMR": _AUDIO,
    b"PK\x03\x04": _ARCHIVE,
    b"\x1f\x8b\x08": _ARCHIVE,
    b"7z\xbc\xaf\x27\x1c": _ARCHIVE,
    b"Rar!\x1a\x07": _ARCHIVE,
    b"\x1a\x45\xdf\xa3": _VIDEO,  # Matroska and WebM
    b"OggS": _VIDEO,  # or audio, depending on its streams
    b"\0\0\x01\xba": _VIDEO,  # ISO/IEC 13818-1, a program stream
}
_IMAGES = {
    b"\x89PNG": "PNG",
    b"\xff\xd8": "JPEG",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def is_jpeg_xl(head: bytes) -> bool:
    """Return True if the first bytes are those of a JPEG XL image (ISO/IEC 18181-2)."""
    return head.startswith((b"\xff\x0a", b"\x00\x00\x00\x0cJXL "))


def recognize(head: bytes) -> Kind:
    """Return the kind of a file that Pillow does not open.

    Args:
        head: First bytes of the file, up to `HEAD`.

    Example:
        >>> recognize(b"<svg xmlns='http://www.w3.org/2000/svg'/>").name
        'an SVG drawing'
        >>> recognize(b"%PDF-1.7").fix
        'export its pages as PNG'
    """
    if not head:
        return Kind("empty", _FETCH)
    if not head.strip(b"\0"):
        return Kind("only zero bytes", _FETCH)
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if head[4:8] == b"ftyp":
        return _recognize_iso(head)
    if head[:4] in (b"RIFF", b"FORM"):
        return _recognize_riff(head)
    for signature, name in _IMAGES.items():
        if head.startswith(signature):
            return Kind(f"a damaged {name} image", _FETCH)
    if head[0] == 0xFF and len(head) > 3 and _is_audio_frame(head[1], head[2]):
        return _AUDIO
    return _recognize_text(head)


def _recognize_iso(head: bytes) -> Kind:
    # ISO/IEC 14496-12: the major brand, followed by the compatible ones.
    if b"avif" in head[8:64] or b"avis" in head[8:64]:
        return Kind("an AVIF image that this version of Pillow cannot decode", _CONVERT)
    if head[8:12] in _HEIC_BRANDS:
        return Kind("a damaged HEIC image", _FETCH)
    if head[8:12] == b"crx ":
        return Kind("a damaged camera RAW file", _FETCH)
    return _AUDIO if head[8:12] in (b"M4A ", b"M4B ") else _ISO_MEDIA


def _recognize_riff(head: bytes) -> Kind:
    form = head[8:12]
    if form in (b"WAVE", b"AIFF", b"AIFC"):
        return _AUDIO
    if form == b"WEBP":
        return Kind("a damaged WebP image", _FETCH)
    return _VIDEO if form == b"AVI " else _UNKNOWN


def _is_audio_frame(first: int, second: int) -> bool:
    """Return True if two bytes after 0xFF begin an MP3 (ISO/IEC 11172-3) or AAC (13818-7) frame."""
    is_mp3 = first & 0xE6 == 0xE2 and second >> 4 != 15 and second >> 2 & 3 != 3
    return is_mp3 or first & 0xF6 == 0xF0


def _recognize_text(head: bytes) -> Kind:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return _HTML
    if text.startswith((b"<asx", b"[playlist]", b"[reference]", b"rtsptext")):
        return _PLAYLIST
    if text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg", b"<mpd", b"<smil")):
        root = re.search(rb"<([a-z][\w:]*)", text)
        name = root[1] if root else b""
        if name == b"svg":
            return Kind("an SVG drawing", _CONVERT)
        if name == b"html":
            return _HTML
        if name in (b"mpd", b"smil", b"smoothstreamingmedia"):
            return _PLAYLIST
    return _UNKNOWN


MOST_PIPED = 256 * 2**20  # bytes; data from a pipe are held in memory
_WRITER_WAIT = 2.0  # seconds to wait for a writer to open the pipe
_DATA_WAIT = 60.0  # seconds to wait for it to write


def open_image_file(name: str) -> BinaryIO:
    r"""Open a regular file, or read all data from a pipe.

    Args:
        name: Path of either, such as the shell's <(...); or `shard.tar/dog.jpg`, see `read_member`.

    Returns:
        A seekable stream, as Pillow needs.

    Raises:
        CaptionerError: If it is neither, cannot be opened, or is a pipe without a writer.

    Example:
        >>> with open_image_file("data/samples/cat.jpg") as file:
        ...     file.read(2)
        b'\xff\xd8'
    """
    member = read_member(name)
    if member is not None:
        return BytesIO(member)
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116
        if stat.S_ISFIFO(mode):
            return BytesIO(_read_pipe(name))
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            # A device may never end, or reading it may have side effects.
            raise unreadable(name, "a device or socket, not a file", "name an image or a video")
        return Path(name).open("rb")
    except FileNotFoundError as error:
        raise _missing(name) from error
    except (OSError, ValueError) as error:
        # Path.is_dir raises an error for some names.
        if os.path.isdir(name) and os.access(name, os.R_OK):  # noqa: PTH112
            fix = "name an image, or a folder that contains images"
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
    """Read a pipe to its end, with a limited wait for a writer."""
    # Without O_NONBLOCK, opening a pipe would block until it has a writer.
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
                except BlockingIOError:  # It has a writer, but no new data.
                    if not selector.select(_DATA_WAIT):
                        raise _silent(name, _DATA_WAIT) from None
                    continue
                if not part and parts:
                    return b"".join(parts)
                if not part:  # no writer, or one that has not written anything
                    if monotonic() - opened > _WRITER_WAIT:
                        raise _silent(name, _WRITER_WAIT)
                    sleep(0.01)
                    continue
                parts.append(part)
                size += len(part)
                if size > MOST_PIPED:
                    reason = f"a pipe with more than {MOST_PIPED >> 20} MiB"
                    raise unreadable(name, reason, "save it as a file first")
    finally:
        os.close(pipe)


def _silent(name: str, seconds: float) -> CaptionerError:
    reason = f"a pipe to which nothing was written for {seconds:.0f} seconds"
    return unreadable(name, reason, "write an image to it, or name a file")
