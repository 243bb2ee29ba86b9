"""What every writer of captions has in common."""

from typing import TYPE_CHECKING, Protocol

from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.caption import Caption


class Writer(Protocol):
    """Writes what was said about one picture after the other to a binary stream.

    Paths that are not valid UTF-8 come as Python gives them, with surrogate escapes (PEP 383).
    """

    def write(self, path: str, result: "Caption | CaptionerError") -> None:
        """Writes one result in one piece and flushes it, so that a killed run loses none."""

    def close(self) -> None:
        """Ends the report; the stream stays open."""
