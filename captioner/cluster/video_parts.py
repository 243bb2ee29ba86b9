"""Long videos in parts, so that one video uses many workers, and their captions put together."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import av
from av.error import FFmpegError

from captioner.cluster.item import Item
from captioner.cluster.object_store import open_store
from captioner.errors import CaptionerError
from captioner.media.files import VIDEO_SUFFIXES
from captioner.media.sampling import RATE

# Formats with a header that tells the length; what others hold stays in one part. A list, since
# what opens files that its content names is not on it; see captioner.media.containers.
_FORMATS = "avi,matroska,mov"


def video_seconds(item: Item) -> float | None:
    """Return how long a video is by its header; None for what is no video, or does not tell.

    Example:
        >>> video = "data/samples/shepherd_and_cat.mp4"
        >>> video_seconds(Item(video, video))
        4.0
    """
    if item.kind != "file" or not item.file.lower().endswith(VIDEO_SUFFIXES):
        return None
    try:
        system, place = open_store(item.file)
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        with system.open(place, "rb") as file, av.open(file, options=options) as container:
            return container.duration / av.time_base if container.duration else None
    except (OSError, FFmpegError, ValueError, CaptionerError):
        return None  # whoever reads it says what is wrong


def divide_video(
    item: Item, seconds: float | None, part: float, every: float | None = None
) -> list[Item]:
    """Return the parts of a video, or nothing for one that is too short.

    Args:
        item: The video.
        seconds: How long it is, roughly; None where that is not known.
        part: Seconds of a part, 0 for no parts.
        every: As of `split_footage`.

    Returns:
        Items that differ in `steps`, each of which begins where the one before ends; the last one
        has no end.

    Example:
        >>> video = Item("video.mp4", "/video.mp4")
        >>> [each.steps for each in divide_video(video, 25 * 60, 600)]
        [(0, 2400), (2400, None)]
    """
    if not part or not seconds or every == math.inf:
        return []
    rate = RATE if every is None else 1 / every
    length = max(round(part * rate), 1)
    # What is left over goes to the last part, which is shorter than two.
    count = int(seconds * rate / length)
    if count < 2:
        return []
    seams: list[int | None] = [*range(0, count * length, length), None]
    return [replace(item, steps=(seams[number] or 0, seams[number + 1])) for number in range(count)]


def join_parts(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Put the rows of a video's parts together.

    Args:
        rows: In the order of the parts; of a part in which no clip begins, one without `segments`.

    Returns:
        The row of the video; None where a part has an error or the spans do not follow one another,
        as it may be with a damaged video: then it is to be described as a whole.

    Example:
        >>> first, second = {"start": 0.0, "end": 2.0}, {"start": 2.0, "end": 4.0}
        >>> join_parts([{"path": "a.mp4", "segments": [first]}, {"segments": [second]}])
        {'path': 'a.mp4', 'segments': [{'start': 0.0, 'end': 2.0}, {'start': 2.0, 'end': 4.0}]}
    """
    if any("error" in row for row in rows):
        return None
    segments = [segment for row in rows for segment in row.get("segments", ())]
    end = 0.0
    for segment in segments:
        if segment["start"] != end:
            return None
        end = segment["end"]
    return {**rows[0], "segments": segments} if segments else None
