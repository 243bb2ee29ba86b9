"""What the header of an MP4 or MOV file promises, checked before FFmpeg makes room for it."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

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
