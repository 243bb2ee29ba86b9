"""Parts of a video, and a whole video, as sources."""

from dataclasses import dataclass

from captioner.errors import CaptionerError
from captioner.media.fetching import Remote


@dataclass(frozen=True)
class VideoRange:
    """The clips of the whole video that begin in a part of it.

    The parts [0, a), [a, b), [b, inf) thus yield, one after another, the same clips as the whole
    video: some frames before the start of a part are also read, and reading continues after its
    stop to the end of its last clip. A part in which no clip begins raises `NoClipError`.

    Attributes:
        video: Path of the video, or a file on a server.
        first: Start of the part; see `steps` of `split_footage`.
        stop: Start of the next part; `math.inf` for the last part.

    Example:
        >>> from captioner.media.sources import read_clips
        >>> video = "data/samples/shepherd_and_cat.mp4"
        >>> [clip.span for clip in read_clips(VideoRange(video, 4, 16), (8, 8))]
        [(2.0, 4.0)]
    """

    video: str | Remote
    first: int
    stop: float


@dataclass(frozen=True)
class WholeVideo:
    """A video as one clip, for a sentence about all of it.

    Attributes:
        video: Path of the video.

    Example:
        >>> from captioner.media.sources import read_clips
        >>> video = WholeVideo("data/samples/shepherd_and_cat.mp4")
        >>> [(clip.span, len(clip.frames)) for clip in read_clips(video, (8, 8))]
        [(None, 16)]
    """

    video: str


class NoClipError(CaptionerError):
    """The error for a part of a video in which no clip begins."""
