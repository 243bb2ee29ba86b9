"""A part of a video as a separate source, so that several workers can read one video."""

from dataclasses import dataclass

from captioner.errors import CaptionerError
from captioner.media.fetching import Remote


@dataclass(frozen=True)
class FilmRange:
    """The clips of the whole video that begin in a part of it.

    The parts [0, a), [a, b), [b, inf) thus yield, one after another, the same clips as the whole
    video: some frames before the start of a part are also read, and reading continues after its
    stop to the end of its last clip. A part in which no clip begins raises `NoClipError`.

    Attributes:
        film: Path of the video, or a file on a server.
        first: Start of the part; see `steps` of `split_footage`.
        stop: Start of the next part; `math.inf` for the last part.

    Example:
        >>> from captioner.media.sources import read_clips
        >>> film = "data/samples/shepherd_and_cat.mp4"
        >>> [clip.span for clip in read_clips(FilmRange(film, 4, 16), (8, 8))]
        [(2.0, 4.0)]
    """

    film: str | Remote
    first: int
    stop: float


@dataclass(frozen=True)
class WholeFilm:
    """A video as one clip, for a sentence about all of it.

    Attributes:
        film: Path of the video.

    Example:
        >>> from captioner.media.sources import read_clips
        >>> film = WholeFilm("data/samples/shepherd_and_cat.mp4")
        >>> [(clip.span, len(clip.frames)) for clip in read_clips(film, (8, 8))]
        [(None, 16)]
    """

    film: str


class NoClipError(CaptionerError):
    """The error for a part of a video in which no clip begins."""
