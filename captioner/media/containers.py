"""Video files opened by FFmpeg through PyAV: local files of known formats, and no other file."""

import os
from typing import Any

import av
from av.error import ArgumentError, FFmpegError
from av.stream import Disposition

from captioner.errors import CaptionerError, unreadable
from captioner.media.mp4_header import implausible_header

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
