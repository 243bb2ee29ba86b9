"""The figure that explains a caption: the decoder's attention for each word."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.sampling import FRAMES
from captioner.media.sources import open_footage, read_clips
from captioner.media.standard_input import PATH
from captioner.reports.clip_figure import draw_clip_attention, stack_drawings
from captioner.reports.destination import Results, confident, find_error
from captioner.reports.figure import draw_attention, save_figure
from captioner.results import Caption

_PER_ROW = 6
_LARGEST = 1200  # pixels of the shorter side, more than the figure shows
_AS_READ = (224, 224)  # VGG16's input size, so that the same shot boundaries are detected again
_SHOTS = 4  # maximum number of a video's shots in one figure


class ExplainedCaption:
    """Draws the attention of an image's caption, or of the captions of a video's first shots.

    Args:
        out: Path of the figure, a .png or .jpg file.
        every: Seconds per clip when the video was split, as for `read_clips`.
        frames: Maximum number of frames per clip that the model read.
    """

    def __init__(self, out: Path, every: float | None = None, frames: int = FRAMES) -> None:
        self._out = out
        self._every = every
        self._frames = frames
        self._drawn: str | None = None
        self._shots = 0

    def wants(self, path: str) -> bool:
        """See `Destination`."""
        return path != PATH

    def write(self, path: str, results: Results) -> None:
        """See `Destination`.

        Raises:
            CaptionerError: If it is the second file, or has no caption or no attention.
        """
        if find_error(results) is not None:
            return
        if self._drawn is not None:
            raise CaptionerError(
                f"{self._out} already explains the caption of {self._drawn}, so {path} cannot be "
                "added: use --explain with one file at a time"
            )
        captions = confident(results)
        if not captions:
            raise CaptionerError(
                f"{path} has no confident caption to explain: lower --min-confidence"
            )
        if any(caption.attention is None for caption in captions):
            raise CaptionerError(
                "this model's decoder has no attention to show: choose another --preset"
            )
        save_figure(self._draw(path, captions), self._out)
        self._drawn, self._shots = path, len(captions)

    def _draw(self, path: str, captions: Sequence[Caption]) -> Image.Image:
        caption = captions[0]
        if caption.span is None:
            (clip,) = read_clips(path, _LARGEST, cut_short=True)
            assert caption.attention is not None
            return draw_attention(clip.frames[0], caption.words, caption.attention, _PER_ROW)
        shown = {caption.span: caption for caption in captions[:_SHOTS]}
        aspect = _aspect(path)
        drawings = []
        # The frames are no longer in memory, so they are read again in the same way.
        for clip in read_clips(path, _AS_READ, self._every, self._frames):
            said = shown.get(clip.span)
            if said is not None and said.attention is not None:
                drawings.append(
                    draw_clip_attention(clip.frames, clip.times, said.words, said.attention, aspect)
                )
            if len(drawings) == len(shown):
                return stack_drawings(drawings)
        raise CaptionerError(f"{path} has changed since it was described: try again")

    def close(self) -> None:
        """Do nothing; see `Destination`."""

    def summary(self) -> Iterator[str]:
        """See `Destination`."""
        if self._shots > _SHOTS:
            yield (
                f"{self._out} shows only {_SHOTS} of {self._shots} shots; "
                "--whole draws the video as one clip"
            )


def _aspect(path: str) -> float:
    """Return the width / height ratio of a video's frames as displayed."""
    footage = open_footage(path, _AS_READ[0])
    if footage is None:
        raise CaptionerError(f"{path} has changed since it was described: try again")
    with closing(footage):
        height, width, _ = next(iter(footage.frames([0.0]))).image.shape
    return float(width / height)
