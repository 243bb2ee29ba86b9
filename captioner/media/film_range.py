"""A part of a film as a source of its own, so that one film can be read in several places."""

from dataclasses import dataclass

from captioner.errors import CaptionerError
from captioner.media.fetching import Remote


@dataclass(frozen=True)
class FilmRange:
    """The clips of a film that begin in a part of it, as they are in the whole film.

    The parts [0, a), [a, b), [b, inf) of a film thus give, one after another, what the film gives:
    where a part begins, some frames before it are looked at, too, and where it ends, the film is
    read on to the end of its last clip. A part in which no clip begins raises `NoClipError`.

    Attributes:
        film: Path of the film, or the file on a server.
        first: Where the part begins; see `steps` of `split_footage`.
        stop: Where the next one begins; `math.inf` for the last one.

    Example:
        >>> from captioner.media.sources import read_clips
        >>> film = "data/samples/shepherd_and_cat.mp4"
        >>> [clip.span for clip in read_clips(FilmRange(film, 4, 16), (8, 8))]
        [(2.0, 4.0)]
    """

    film: str | Remote
    first: int
    stop: float


class NoClipError(CaptionerError):
    """No clip begins in a part of a film."""
