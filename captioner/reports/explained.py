"""The figure that explains a caption: where the decoder looked for each of its words."""

from collections.abc import Iterator
from pathlib import Path

from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.media.standard_input import PATH
from captioner.reports.destination import Results, confident, find_error
from captioner.reports.figure import draw_attention, save_figure

_PER_ROW = 6
_LARGEST = 1200  # pixels of the shorter side, more than the figure shows


class ExplainedCaption:
    """Draws the attention of one picture's caption.

    Args:
        out: The figure, a .png or .jpg file.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._drawn: str | None = None

    def wants(self, path: str) -> bool:
        """See `Destination`."""
        return path != PATH

    def write(self, path: str, results: Results) -> None:
        """See `Destination`.

        Raises:
            CaptionerError: It is the second picture, a clip, or one without a caption or attention.
        """
        if find_error(results) is not None:
            return
        if self._drawn is not None:
            raise CaptionerError(
                f"{self._out} explains the caption of {self._drawn}, not of {path} as well: give "
                "--explain one picture at a time"
            )
        captions = confident(results)
        if not captions:
            raise CaptionerError(f"{path} has no confident caption to explain: lower the least")
        caption = captions[0]
        if caption.span is not None:
            raise CaptionerError(f"{path} is a clip: --explain shows a picture, such as one frame")
        if caption.attention is None:
            raise CaptionerError(
                "this model's decoder has no attention to show: choose another --preset"
            )
        picture = load_image(path, size=_LARGEST)
        save_figure(draw_attention(picture, caption.words, caption.attention, _PER_ROW), self._out)
        self._drawn = path

    def close(self) -> None:
        """See `Destination`: there is nothing to add."""

    def summary(self) -> Iterator[str]:
        """See `Destination`: nothing is skipped."""
        yield from ()
