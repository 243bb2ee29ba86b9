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
            clips, failure = [], None
            try:
                for clip in read_clips(source, (8, 8), every):
                    clips.append(clip)  # noqa: PERF402  (those before an error stay)
            except CaptionerError as error:
                failure = error
            for number, clip in enumerate(clips, start=1):
                text = "a bright picture" if clip.frames.mean() > 128 else "a dark picture"
                caption = Caption(
                    text, tuple(text.split()), -1.0, -0.5, span=clip.span, confidence=0.75
                )
                last = number == len(clips) and failure is None
                yield Result(source, index, caption, last=last, frames=len(clip.frames))
            if failure is not None:
                yield Result(source, index, failure, last=True, frames=0)
