"""Video files opened by FFmpeg through PyAV: local, of known formats, with checked headers."""

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import av
from av.error import ArgumentError, FFmpegError
from av.stream import Disposition

from captioner.errors import CaptionerError, unreadable

# FFmpeg takes some 48 bytes for each: 24 hours at 60 frames a second, with sound, are 9.3 million.
_MOST_SAMPLES = 10_000_000
_FEW_SAMPLES = 100_000  # which any file may promise
_MOST_BOXES = 1_000_000
_DEEPEST = 16
# Those in which FFmpeg looks for tracks and their tables.
_CONTAINERS = {
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf"),
    *(b"dinf", b"mvex", b"sinf", b"tref", b"udta", b"wave"),
}
_UNCOMPRESSED_AUDIO = (1, 1)  # one run of times, each a tick long: FFmpeg counts by chunks


@dataclass
class _Track:
    samples: int = 0
    edits: int = 1
    times: tuple[int, int] = (0, 0)  # runs of equal durations, and the first duration
    is_audio: bool = False


def implausible_header(path: str | os.PathLike[str]) -> str | None:
    """Say what is wrong with the header of an MP4, MOV or fragmented MP4 file.

    Its tables may state a number of frames without holding an entry for each: 967 bytes can
    promise 30 million, for which FFmpeg takes 1.4 GB as it opens the file.

    Args:
        path: Of a regular file of any format.

    Returns:
        The reason to refuse it; None if there is none, or if it is of another format.

    Raises:
        OSError: If the file cannot be read.

    Example:
        >>> implausible_header("data/samples/shepherd_and_cat.mp4") is None
        True
    """
    size = os.path.getsize(path)  # noqa: PTH202
    tracks = [_Track()]
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        for number, (kind, start, end) in enumerate(_boxes(file, 0, size)):
            if number > _MOST_BOXES:
                return f"a header of more than {_MOST_BOXES} parts"
            if kind == b"cmov":
                return "a compressed header"
            if kind == b"trak" or (kind == b"moof" and tracks[-1].samples):
                tracks.append(_Track())
            _read_box(file, kind, start, min(end, start + 24), tracks[-1])
    total = sum(map(_entries, tracks))
    if total > max(_FEW_SAMPLES, min(size, _MOST_SAMPLES)):
        return f"{size} bytes that promise {total} frames"
    return None


def _boxes(
    file: BinaryIO, position: int, end: int, depth: int = 0
) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the content and end of each box (ISO/IEC 14496-12, 4.2) at any depth."""
    while position + 8 <= end:
        file.seek(position)
        head = file.read(16)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head[:8])
        start = position + 8
        if length == 1 and len(head) == 16:
            length, start = struct.unpack(">Q", head[8:])[0], position + 16
        elif length == 0:  # up to the end of what it lies in
            length = end - position
        if position + length < start:
            return
        stop = min(position + length, end)
        yield kind, start, stop
        if kind in _CONTAINERS and depth < _DEEPEST:
            yield from _boxes(file, start, stop, depth + 1)
        position += length


def _read_box(file: BinaryIO, kind: bytes, start: int, end: int, track: _Track) -> None:
    if kind not in (b"stsz", b"stz2", b"trun", b"stts", b"elst", b"hdlr"):
        return
    file.seek(start)
    body = file.read(end - start)
    words = struct.unpack(f">{len(body) // 4}I", body[: len(body) // 4 * 4])
    if len(words) < 3:
        return
    if kind in (b"stsz", b"stz2"):
        track.samples += words[2]
    elif kind == b"trun":
        track.samples += words[1]
    elif kind == b"elst":
        track.edits = max(words[1], 1)
    elif kind == b"stts" and len(words) > 3:
        track.times = (words[1], words[3])
    elif kind == b"hdlr":
        track.is_audio |= body[8:12] == b"soun"


def _entries(track: _Track) -> int:
    """How many entries of its index FFmpeg makes of a track, at most."""
    if track.is_audio and track.times == _UNCOMPRESSED_AUDIO:
        return 0
    return track.samples * track.edits  # each edit has entries of its own


# The largest frame of level 6.2 of H.264, HEVC and AV1: 8192 x 4352. Each decoder holds several.
MAX_FRAME_PIXELS = 35_651_584

_THREADS = 4  # of one decoder; several videos are decoded at once
_PIXELS_AT_ONCE = 2**25  # by the threads of one decoder: four frames of 4K

# A list of what is allowed stays safe when FFmpeg learns new formats. What opens files or sockets
# that its content names is not on it: concat, hls, dash, sdp, rtsp, image2, vobsub, lavfi, tee.
_FORMATS = (
    *("asf", "av1", "avi", "dhav", "dv", "flv", "gxf", "h261", "h263", "h264", "hevc", "ivf"),
    *("live_flv", "m4v", "matroska", "mov", "mpeg", "mpegts", "mpegtsraw", "mpegvideo", "mxf"),
    *("nut", "obu", "ogg", "rm", "vc1", "vvc", "wtv", "yuv4mpegpipe"),
)
_OPTIONS = {
    "format_whitelist": ",".join(_FORMATS),
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_FRAME_PIXELS),  # FFmpeg decodes some frames as it opens a file
}
_CONVERT = "convert it to MP4 with H.264"


def open_container(name: str) -> tuple[Any, Any]:
    """Open a video file and choose its stream.

    Playlists, image sequences and other lists of files are refused, whatever they are called.

    Args:
        name: Path of a local file; no name is taken for a URL or a pattern.

    Returns:
        The PyAV container and its first video stream; cover art is none.

    Raises:
        CaptionerError: If it cannot be opened, is of another format, or has no video to decode.

    Example:
        >>> container, stream = open_container("data/samples/shepherd_and_cat.mp4")
        >>> stream.codec_context.name
        'h264'
        >>> container.close()
    """
    if os.path.exists(name) and not os.path.isfile(name):  # noqa: PTH110, PTH113
        raise unreadable(name, "not a regular file", "save the video as a file first")
    try:
        reason = implausible_header(name)
        if reason is not None:
            raise unreadable(name, reason, f"fetch it again, or {_CONVERT}")
        # With its protocol named, no path is taken for a URL.
        container = av.open("file:" + name, options=_OPTIONS)
    except ArgumentError as error:
        reason = "not in a video format that is read, such as MP4, WebM, AVI or MPEG"
        raise unreadable(name, reason, _CONVERT) from error
    except (FFmpegError, OSError, ValueError) as error:
        reason = f"no video that FFmpeg can open: {reason_of(error)}"
        raise unreadable(name, reason, f"fetch it again, or {_CONVERT}") from error
    try:
        return container, _choose_stream(name, container)
    except CaptionerError:
        container.close()
        raise


def _choose_stream(name: str, container: Any) -> Any:
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        reason = "audio without video" if container.streams.audio else "no video"
        raise unreadable(name, reason, "name a video or an image")
    stream = streams[0]
    if stream.codec_context is None:
        raise unreadable(name, "a codec that this FFmpeg does not know", _CONVERT)
    if stream.width * stream.height > MAX_FRAME_PIXELS:
        size = f"{stream.width} x {stream.height}"
        reason = f"frames of {size} pixels, over the limit of {MAX_FRAME_PIXELS}"
        raise unreadable(name, reason, "scale the video down")
    context = stream.codec_context
    context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    context.thread_type = "AUTO"
    # Each thread decodes a frame of its own, beside those that others refer to.
    pixels = max(stream.width * stream.height, 1)
    context.thread_count = max(min(_THREADS, os.cpu_count() or 1, _PIXELS_AT_ONCE // pixels), 1)
    return stream


def reason_of(error: Exception) -> str:
    """Return what an error of PyAV or of the system says, without the path, which it repeats."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


_MISSING = 1.0  # seconds that may be missing at the end, as rounding and padding make them
# Formats whose header states a length that FFmpeg believes even if the file is shorter; in others
# it may be a guess.
_TOLD = ("matroska,webm", "flv")


def stated_duration(container: Any, stream: Any) -> float | None:
    """Return what the file says beforehand, of its pictures or else of all that is in it.

    Args:
        container: An open PyAV container.
        stream: Its video stream.

    Returns:
        Seconds, or None if it does not say.
    """
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return float(container.duration / av.time_base) if container.duration else None


def missing_end(container: Any, stream: Any, end: float, damaged: bool) -> float | None:
    """Tells whether a file that was read to its end was meant to go on.

    Of some formats, such as a transport stream, nobody can tell.

    Args:
        container: An open PyAV container; it is read on from near its end.
        stream: Its video stream.
        end: When the last frame leaves the screen, in seconds since the start.
        damaged: Whether something could not be decoded.

    Returns:
        The seconds that it states, if it holds clearly less, or else None.
    """
    stated = stated_duration(container, stream) or 0.0
    if container.format.name == "avi":
        # FFmpeg takes the duration from what is left, but the number of frames from the header.
        stated = max(stated, float(stream.frames * stream.time_base))
    elif not stream.duration and (damaged or container.format.name in _TOLD):
        # Of the whole file: its sound may go on where the pictures end.
        end = end if stated - end <= _MISSING else max(end, _last_packet(container, stream, end))
    elif not stream.duration:
        return None
    return stated if stated - end > _MISSING else None


def _last_packet(container: Any, stream: Any, end: float) -> float:
    """When the last packet of any stream ends, in seconds since the start."""
    start = (container.start_time or 0) / av.time_base
    last = end
    with suppress(FFmpegError):
        container.seek(int((end + start) / stream.time_base), stream=stream)
        for packet in container.demux():
            if packet.pts is not None:
                ends = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                last = max(last, ends - start)
    return last
