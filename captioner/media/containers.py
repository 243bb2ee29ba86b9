"""Opening of local video files with FFmpeg through PyAV, with checked formats and headers."""

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

# FFmpeg takes about 48 bytes per sample: 24 hours at 60 frames/s with sound have 9.3 million.
_MOST_SAMPLES = 10_000_000
_FEW_SAMPLES = 100_000  # allowed for a file of any size
_MOST_BOXES = 1_000_000
_DEEPEST = 16
# Boxes in which FFmpeg looks for tracks and their tables.
_CONTAINERS = {
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf"),
    *(b"dinf", b"mvex", b"sinf", b"tref", b"udta", b"wave"),
}
_UNCOMPRESSED_AUDIO = (1, 1)  # one run of one-tick samples, which FFmpeg indexes by chunk


@dataclass
class _Track:
    samples: int = 0
    edits: int = 1
    times: tuple[int, int] = (0, 0)  # number of runs of equal durations, and the first duration
    is_audio: bool = False


def implausible_header(path: str | os.PathLike[str]) -> str | None:
    """Return the problem with the header of an MP4, MOV or fragmented MP4 file, if any.

    Its tables may state a number of frames without an entry for each: 967 bytes can declare 30
    million frames, for which FFmpeg allocates 1.4 GB when it opens the file.

    Args:
        path: Path of a regular file of any format.

    Returns:
        The reason to reject the file; None if there is none, or if the file has another format.

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
        return f"{size} bytes that claim to hold {total} frames"
    return None


def _boxes(
    file: BinaryIO, position: int, end: int, depth: int = 0
) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start of content, and end of each box (ISO/IEC 14496-12, 4.2) at any depth."""
    while position + 8 <= end:
        file.seek(position)
        head = file.read(16)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head[:8])
        start = position + 8
        if length == 1 and len(head) == 16:
            length, start = struct.unpack(">Q", head[8:])[0], position + 16
        elif length == 0:  # up to the end of the enclosing box
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
    """Return the maximum number of index entries that FFmpeg creates for a track."""
    if track.is_audio and track.times == _UNCOMPRESSED_AUDIO:
        return 0
    return track.samples * track.edits  # each edit has its own entries


# Largest frame of level 6.2 of H.264, HEVC and AV1: 8192 x 4352. A decoder holds several.
MAX_FRAME_PIXELS = 35_651_584

_THREADS = 4  # per decoder; several videos are decoded at the same time
_PIXELS_AT_ONCE = 2**25  # decoded in parallel by one decoder's threads: four 4K frames

# A list of allowed formats stays safe when FFmpeg adds new ones. It excludes the formats that open
# files or sockets named in their content: concat, hls, dash, sdp, rtsp, image2, vobsub, lavfi, tee.
_FORMATS = (
    *("asf", "av1", "avi", "dhav", "dv", "flv", "gxf", "h261", "h263", "h264", "hevc", "ivf"),
    *("live_flv", "m4v", "matroska", "mov", "mpeg", "mpegts", "mpegtsraw", "mpegvideo", "mxf"),
    *("nut", "obu", "ogg", "rm", "vc1", "vvc", "wtv", "yuv4mpegpipe"),
)
_OPTIONS = {
    "format_whitelist": ",".join(_FORMATS),
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_FRAME_PIXELS),  # FFmpeg decodes some frames while opening a file
}
_CONVERT = "convert it to MP4 with H.264"


def open_container(name: str) -> tuple[Any, Any]:
    """Open a video file and select its video stream.

    Playlists, image sequences and other lists of files are rejected, regardless of their names.

    Args:
        name: Path of a local file, never interpreted as a URL or a pattern.

    Returns:
        The PyAV container and its first video stream other than cover art.

    Raises:
        CaptionerError: If it cannot be opened, has another format, or has no video to decode.

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
        # With an explicit protocol, a path is never interpreted as a URL.
        container = av.open("file:" + name, options=_OPTIONS)
    except ArgumentError as error:
        reason = "not in a supported video format, such as MP4, WebM, AVI or MPEG"
        raise unreadable(name, reason, _CONVERT) from error
    except (FFmpegError, OSError, ValueError) as error:
        reason = f"not a video that FFmpeg can open: {reason_of(error)}"
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
    # Each thread decodes a frame of its own, in addition to the reference frames.
    pixels = max(stream.width * stream.height, 1)
    context.thread_count = max(min(_THREADS, os.cpu_count() or 1, _PIXELS_AT_ONCE // pixels), 1)
    return stream


def reason_of(error: Exception) -> str:
    """Return the message of a PyAV or system error, without the path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


_MISSING = 1.0  # seconds that may be missing at the end because of rounding and padding
# Formats in which FFmpeg trusts the duration in the header even if the file is shorter; in other
# formats the duration may be a guess.
_TOLD = ("matroska,webm", "flv")


def stated_duration(container: Any, stream: Any) -> float | None:
    """Return the duration that a file states for its video stream, or else for all of it.

    Args:
        container: Open PyAV container.
        stream: Video stream of the container.

    Returns:
        Seconds, or None if the file does not state a duration.
    """
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return float(container.duration / av.time_base) if container.duration else None


def missing_end(container: Any, stream: Any, end: float, damaged: bool) -> float | None:
    """Check whether a file that was read to its end is truncated.

    For some formats, such as transport streams, this cannot be determined.

    Args:
        container: Open PyAV container; reading continues near its end.
        stream: Video stream of the container.
        end: Time at which the display of the last frame ends, in seconds since the start.
        damaged: True if something could not be decoded.

    Returns:
        The stated duration in seconds if the file is clearly shorter, else None.
    """
    stated = stated_duration(container, stream) or 0.0
    if container.format.name == "avi":
        # FFmpeg takes the duration from the remaining data, but the frame count from the header.
        stated = max(stated, float(stream.frames * stream.time_base))
    elif not stream.duration and (damaged or container.format.name in _TOLD):
        # Duration of the whole file: its sound may be longer than its video.
        end = end if stated - end <= _MISSING else max(end, _last_packet(container, stream, end))
    elif not stream.duration:
        return None
    return stated if stated - end > _MISSING else None


def _last_packet(container: Any, stream: Any, end: float) -> float:
    """Return the end of the last packet of any stream, in seconds since the start."""
    start = (container.start_time or 0) / av.time_base
    last = end
    with suppress(FFmpegError):
        container.seek(int((end + start) / stream.time_base), stream=stream)
        for packet in container.demux():
            if packet.pts is not None:
                ends = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                last = max(last, ends - start)
    return last
