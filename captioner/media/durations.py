"""How long a video file says that it is, and whether it is."""

from contextlib import suppress
from typing import Any

import av
from av.error import FFmpegError

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
