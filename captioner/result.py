"""What comes back while many sources are described."""

from dataclasses import dataclass

from captioner.caption import Caption
from captioner.errors import CaptionerError


@dataclass(frozen=True)
class Result:
    """What was said about one of several sources, or a part of it.

    Attributes:
        index: Where the source stands among them.
        caption: What was said, or the error that says why nothing was, or nothing more.
        last: Whether nothing more will be said about this source.
        frames: How many frames were looked at.
    """

    index: int
    caption: Caption | CaptionerError
    last: bool
    frames: int
