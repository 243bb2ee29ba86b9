"""What every writer of captions has in common."""

from typing import TYPE_CHECKING, Protocol

from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.results import Caption


class Writer(Protocol):
    """Writes what was said about one picture or film after the other to a binary stream.

    Paths that are not valid UTF-8 come as Python gives them, with surrogate escapes (PEP 383).
    """

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """Write one result in one piece and flushes it, so that a killed run loses none.

        Args:
            path: The picture's or film's.
            result: What was said about it, or about its next shot.
            last: Whether nothing more will be said about it.
        """

    def close(self) -> None:
        """End the report; the stream stays open."""
