"""A captioner without a network, for tests of what becomes of captions."""

from pathlib import Path

from captioner.errors import CaptionerError
from captioner.media.sources import read_clips
from captioner.results import Caption, Result


class FakeCaptioner:
    """Says of each picture or shot how bright it is; files are read as the real one reads them."""

    calls: list[str] = []  # noqa: RUF012  (of all, for tests to look at)

    def __init__(self, preset=None, precision="auto", engine="auto"):
        pass

    def describe(self, sources, *, every=None, min_confidence=0.0, num_captions=1, **options):
        for index, source in enumerate(sources):
            self.calls.append(Path(source).name if isinstance(source, str) else "-")
            try:
                clips = list(read_clips(source, (8, 8), every))
            except CaptionerError as error:
                yield Result(source, index, error, last=True, frames=0)
                continue
            for number, clip in enumerate(clips, start=1):
                text = "a bright picture" if clip.frames.mean() > 128 else "a dark picture"
                caption = Caption(
                    text, tuple(text.split()), -1.0, -0.5, span=clip.span, confidence=0.75
                )
                yield Result(
                    source, index, caption, last=number == len(clips), frames=len(clip.frames)
                )
