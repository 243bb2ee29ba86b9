"""Where captions of a file go besides the report, and what all such places have in common."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.results import Caption

Results = Sequence["Caption | CaptionerError"]


class Destination(Protocol):
    """Takes what was said about one file after another: sidecars, a library, a page."""

    def wants(self, path: str) -> bool:
        """Tell whether a file is still to be described; asked before the file is read.

        Args:
            path: Of a file, as the user has named it, or "-" for standard input.
        """

    def write(self, path: str, results: Results) -> None:
        """Take what was said about a file that was wanted; a kill leaves all of it or nothing.

        Args:
            path: As for `wants`.
            results: The caption of a picture, or those of a clip's shots, and the error that says
                why there are none, or no more.

        Raises:
            CaptionerError: It cannot be written; the next file may be tried all the same.
        """

    def close(self) -> None:
        """Complete what is written at the end; not called after an exception."""

    def summary(self) -> Iterator[str]:
        """Yield lines about what was skipped."""


def find_error(results: Results) -> CaptionerError | None:
    """Return the error among some results.

    Example:
        >>> find_error([])
    """
    return next((result for result in results if isinstance(result, CaptionerError)), None)


def confident(results: Results) -> list["Caption"]:
    """Return the captions that are not withheld, in their order.

    Example:
        >>> confident([CaptionerError("empty")])
        []
    """
    captions = (result for result in results if not isinstance(result, CaptionerError))
    return [caption for caption in captions if not caption.uncertain]
