"""What is said about uploaded files, as rows of JSON; those of `caption --jsonl`, and more."""

import base64
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np

from captioner.captioner import Captioner
from captioner.errors import CaptionerError, unreadable
from captioner.library.schema import read_facts
from captioner.media.sources import open_footage
from captioner.reports.row import encode_row
from captioner.reports.small_image import small_image
from captioner.results import ACTIVITY, Caption
from captioner.web.uploads import Upload

MOST_CAPTIONS = 10
_PREVIEW = 720  # pixels of the shorter side
_DECIMALS = 4  # of attention weights, and of seconds


@dataclass(frozen=True)
class Wish:
    """What a request asks for, beside the captions themselves.

    Attributes:
        num_captions: Sentences for each image or shot, or labels.
        every: As for `Captioner.describe`.
        attention: Whether rows say where the model looked.
        preview: Whether rows of images have a JPEG, for browsers that do not know their format.
    """

    num_captions: int = 1
    every: float | None = None
    attention: bool = False
    preview: bool = False

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> "Wish":
        """Read the fields of a form.

        Raises:
            CaptionerError: A value is none.

        Example:
            >>> Wish.parse({"num_captions": "3", "every": "whole"})
            Wish(num_captions=3, every=inf, attention=False, preview=False)
        """
        count, every = fields.get("num_captions", "1"), fields.get("every", "shot")
        if not count.isdecimal() or not 1 <= int(count) <= MOST_CAPTIONS:
            raise CaptionerError(f"num_captions={count!r}: give 1 to {MOST_CAPTIONS}")
        seconds = {"shot": None, "whole": math.inf}.get(every, _positive(every))
        if seconds == 0:
            raise CaptionerError(f'every={every!r}: give "shot", "whole" or seconds')
        return cls(
            int(count),
            seconds,
            attention=fields.get("attention") == "true",
            preview=fields.get("preview") == "true",
        )


@dataclass
class _Said:
    """What was said about a file, and when the frames of each part appear."""

    results: list[Caption | CaptionerError] = field(default_factory=list)
    times: list[tuple[float, ...]] = field(default_factory=list)


class Describer:
    """Describes uploaded files within limits; several threads may use it.

    Args:
        captioner: It stays loaded.
        options: Of `Captioner.describe`, for all requests.
        most_pixels: Of an image, or of a frame.
        timeout: Seconds for a request.
    """

    def __init__(
        self,
        captioner: Captioner,
        options: Mapping[str, Any],
        most_pixels: int,
        timeout: float,
    ) -> None:
        self.captioner = captioner
        self._options = options
        self._most_pixels = most_pixels
        self._timeout = timeout

    def describe(self, uploads: Sequence[Upload], wish: Wish) -> list[dict[str, Any]]:
        """Describe files.

        Args:
            uploads: The files.
            wish: What is asked for.

        Returns:
            A row for each, as `encode_row` writes it. A caption may have `attention`: for each word
            its `word`, where the model looked as rows of weights, `map`, and in clips the second
            of the frame that it looked at most, `at`.
        """
        said = [_Said() for _ in uploads]
        deadline = monotonic() + self._timeout
        for index, result, times in self._results(uploads, wish, deadline):
            if isinstance(result, CaptionerError):
                upload = uploads[index]
                result = CaptionerError(str(result).replace(str(upload.path), upload.name))
            said[index].results.append(result)
            said[index].times.append(times)
        return [_write(upload, own, wish) for upload, own in zip(uploads, said, strict=True)]

    def _results(
        self, uploads: Sequence[Upload], wish: Wish, deadline: float
    ) -> Iterator[tuple[int, Caption | CaptionerError, tuple[float, ...]]]:
        fit = []
        for index, upload in enumerate(uploads):
            error = self._too_large(upload)
            if error is None:
                fit.append(index)
            else:
                yield index, error, ()
        options: dict[str, Any] = {**self._options, "num_captions": wish.num_captions}
        if self.captioner.preset.task != ACTIVITY:
            options["every"] = wish.every
        unfinished = dict.fromkeys(fit)
        for result in self.captioner.describe(
            [str(uploads[index].path) for index in fit], timeout=self._timeout, **options
        ):
            index = fit[result.index]
            yield index, result.caption, result.times
            if result.last:
                del unfinished[index]
            if monotonic() > deadline:
                break
        for index in unfinished:
            reason = f"it takes longer than the {self._timeout:g} seconds of a request"
            yield index, unreadable(uploads[index].name, reason, "send less at once"), ()

    def _too_large(self, upload: Upload) -> CaptionerError | None:
        facts = read_facts(upload.path)
        width, height = facts.width or 0, facts.height or 0
        if width * height <= self._most_pixels:
            return None
        reason = f"{width} x {height} pixels, over this server's limit of {self._most_pixels}"
        return unreadable(upload.name, reason, "make it smaller")


def _write(upload: Upload, said: _Said, wish: Wish) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(encode_row(upload.name, *said.results))
    parts = row.get("segments", [row])
    captions = [caption for caption in said.results if isinstance(caption, Caption)]
    if wish.attention:
        for part, caption, times in zip(parts, captions, said.times, strict=False):
            fields = part.get("captions", [part])
            for target, source in zip(fields, (caption, *caption.alternatives), strict=False):
                if source.attention is not None:
                    target["attention"] = _looked(source, times)
    if wish.preview and captions and _is_image(upload):
        image = base64.b64encode(small_image(upload.path, _PREVIEW)).decode()
        row["preview"] = f"data:image/jpeg;base64,{image}"
    return row


def _looked(caption: Caption, times: Sequence[float]) -> list[dict[str, Any]]:
    """Tell for each word where the decoder looked, in the frame that it looked at most."""
    assert caption.attention is not None
    looked = []
    for word, frames in zip(caption.words, caption.attention, strict=True):  # (T, P) of each
        frame = int(np.argmax(frames.sum(axis=1)))
        side = math.isqrt(frames.shape[1])
        locations = np.round(frames[frame].reshape(side, side).astype(float), _DECIMALS)
        entry: dict[str, Any] = {"word": word, "map": locations.tolist()}
        if caption.span is not None:
            entry["at"] = round(times[frame], _DECIMALS)
        looked.append(entry)
    return looked


def _is_image(upload: Upload) -> bool:
    footage = open_footage(upload.path, 8)
    if footage is None:
        return True
    footage.close()
    return False


def _positive(text: str) -> float:
    """Return a number of seconds; 0 for what is none."""
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < math.inf else 0.0
