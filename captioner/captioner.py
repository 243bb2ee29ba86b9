"""The road from images and videos to captions or labels, in one page."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from captioner.captioning import CaptionHead
from captioner.errors import CaptionerError
from captioner.labelling import LabelHead
from captioner.media.ahead import read_ahead
from captioner.media.clip import Clip
from captioner.media.sources import Source
from captioner.presets.storage import DEFAULT_PRESET, Preset, read_preset, write_preset
from captioner.results import ACTIVITY, Caption, Result
from captioner.text.wording import Wording


class Captioner:
    """Describes images and videos, by sentences or by labels: the preset's task decides.

    Several threads may use one captioner; after a fork, each process needs its own.

    Args:
        preset: The trained model, as `read_preset` gives it; or several that write captions, whose
            predictions are averaged word by word, and of which the first says how to search.
        precision: "auto", "bfloat16" or "float32".
        engine: "openvino", "keras", or "auto": OpenVINO, which starts fast and runs on the CPU,
            where it is installed and the preset has its graphs. A GPU is for Keras.

    Attributes:
        head: Reads sources and describes clips: a `CaptionHead`, or a `LabelHead` for activities.

    Raises:
        CaptionerError: If the preset does not fit itself or the engine, or several presets do not
            fit each other.

    Example:
        >>> captioner = Captioner.from_preset()
        >>> caption = captioner.generate("data/samples/cat.jpg")[0]
        >>> caption.words == tuple(caption.text.split())
        True
    """

    def __init__(
        self, preset: Preset | Sequence[Preset], precision: str = "auto", engine: str = "auto"
    ) -> None:
        presets = [preset] if isinstance(preset, Preset) else list(preset)
        self.preset = presets[0]
        labels = any(each.task == ACTIVITY for each in presets)
        if labels and len(presets) > 1:
            raise CaptionerError("an ensemble is of presets that write captions: give one preset")
        self.head: CaptionHead | LabelHead = (
            LabelHead.from_preset(self.preset, precision, engine)
            if labels
            else CaptionHead.from_presets(presets, precision, engine)
        )
        self._process = os.getpid()

    @classmethod
    def from_preset(
        cls,
        name_or_folder: str | Path = DEFAULT_PRESET,
        precision: str = "auto",
        engine: str = "auto",
    ) -> "Captioner":
        """Load a bundled preset by its name, or one of the user's by its folder.

        Raises:
            CaptionerError: If it is missing or damaged.
        """
        return cls(read_preset(name_or_folder, task=None), precision, engine)

    def save_to_preset(self, folder: str | Path, overwrite: bool = False) -> None:
        """Write the captioner as a preset that `from_preset` reads; see `write_preset`."""
        write_preset(folder, self.preset, overwrite)

    def generate(self, sources: Source | Sequence[Source], **options: Any) -> list[Caption]:
        """Describe images and videos.

        Args:
            sources: One source or a sequence of them. An image is a path, bytes, a PIL image or an
                array; a video is a path or a `Clip`; for a model of activities, also a folder of
                numbered frames.
            options: Options of `describe`.

        Returns:
            The best caption of each image and of each shot of each video, in order; or, by a model
            of activities, the `Label` of each source. `num_captions` more than one gives it
            `alternatives`.

        Raises:
            CaptionerError: If a source cannot be read.

        Example:
            >>> captioner = Captioner.from_preset()
            >>> captions = captioner.generate("data/samples/shepherd_and_cat.mp4")
            >>> [caption.span for caption in captions]
            [(0.0, 2.0), (2.0, 4.0)]
        """
        # An array or bytes are sequences to Python, and one image to us.
        several = isinstance(sources, Sequence) and not isinstance(sources, str | bytes)
        captions = []
        for caption in self.stream(cast(Any, sources if several else [sources]), **options):
            if isinstance(caption, CaptionerError):
                raise caption
            captions.append(caption)
        return captions

    def stream(
        self, sources: Iterable[Source], **options: Any
    ) -> Iterator[Caption | CaptionerError]:
        """Describe sources as they come, of which there may be any number.

        Args:
            sources: Sources as for `generate`.
            options: Options of `describe`.

        Yields:
            For each image and each shot its caption, or the error that says why there is none.
        """
        return (result.caption for result in self.describe(sources, **options))

    def describe(
        self,
        sources: Iterable[Source],
        *,
        every: float | None = None,
        batch_size: int = 16,
        num_captions: int = 1,
        mirror: bool = False,
        min_confidence: float = 0.0,
        timeout: float = math.inf,
        gender_neutral: bool = False,
        wording: Wording | None = None,
        **search_options: Any,
    ) -> Iterator[Result]:
        """Describe sources as they come, each caption with the source that it is about.

        Args:
            sources: Sources as for `generate`.
            every: Seconds of video for each sentence; `math.inf` for one about the whole video;
                None for one a shot. Labels are always of the whole video.
            batch_size: Frames that go through the network together, unless one clip has more.
            num_captions: Sentences for each image or shot, or labels.
            mirror: Whether the mirror image of each frame is looked at, too, as a frame more: a
                little better, at twice the time. What is left or right is then uncertain.
            min_confidence: 0 to 1; a caption of less confidence is withheld: its text is empty and
                it is `uncertain`.
            timeout: Seconds that reading one source may take; then there is an error instead.
            gender_neutral: Whether "person" stands in place of "man" or "woman", and so on, where
                the network gives the same sentence with the other gender more than a hundredth of
                the weight; see `gender_shares`. `words` stay as the decoder wrote them.
            wording: How the text of captions is written.
            search_options: Options of `beam_search` that differ from the preset's:
                beam_width, max_length, min_length, length_power, no_repeat_ngram; and `never`,
                words that are not to be said.

        Yields:
            One result for each image; one for each shot of a video, and, if the video breaks off,
            the error after them.

        Raises:
            CaptionerError: If an option is not for the preset's task, a least confidence is asked
                of a preset that has none, or in a process that was forked after the captioner was
                made.
        """
        if os.getpid() != self._process:
            # The threads of OpenVINO and TensorFlow do not exist here: a call would wait for ever.
            raise CaptionerError(
                "a Captioner cannot be used in a forked process: create one in each process, or "
                'start them by multiprocessing.get_context("spawn")'
            )
        if min_confidence and self.preset.task != ACTIVITY and self.writer.calibration is None:
            raise CaptionerError(
                "min_confidence needs a preset with a confidence: choose one by "
                "`python scripts/calibrate.py PRESET --dataset DATA --fit`, or leave it out"
            )
        options: dict[str, Any] = {"num_captions": num_captions, **search_options}
        options |= {"mirror": True} if mirror else {}
        options |= {"min_confidence": min_confidence} if min_confidence else {}
        options |= {"gender_neutral": True} if gender_neutral else {}
        if self.preset.task == ACTIVITY and (every not in (None, math.inf) or len(options) > 1):
            raise CaptionerError(
                "this preset labels whole clips: of all options, num_captions and batch_size alone "
                "are for it"
            )
        read = partial(self.head.read, every=every)
        for batch in read_ahead(read, sources, batch_size, timeout=timeout):
            clips = [reading.clip for reading in batch if isinstance(reading.clip, Clip)]
            captions = iter(self.head.describe(clips, **options))
            for reading in batch:
                caption: Caption | CaptionerError
                times: tuple[float, ...] = ()
                if isinstance(reading.clip, CaptionerError):
                    caption = reading.clip
                else:
                    caption, times = next(captions), tuple(map(float, reading.clip.times))
                    if wording is not None and isinstance(caption, Caption):
                        caption = wording.apply(caption)
                yield Result(
                    reading.source, reading.index, caption, reading.last, len(times), times
                )

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width to which frames are stretched, in pixels."""
        return self.head.image_size

    @property
    def writer(self) -> CaptionHead:
        """The head, where it writes captions.

        Raises:
            CaptionerError: If it gives labels.
        """
        if not isinstance(self.head, CaptionHead):
            raise CaptionerError("this preset labels clips: give one that writes captions")
        return self.head

    def caption_features(
        self, clips: Sequence[np.ndarray], **options: Any
    ) -> list[Caption | CaptionerError]:
        """Write captions of clips whose features are known; see `CaptionHead.caption_features`.

        Args:
            clips: Features of each clip, float (T, P, C), as `writer.engine` encodes them.
            options: `num_captions`, and options of `beam_search` that differ from the preset's.

        Raises:
            CaptionerError: If the preset gives labels.

        Example:
            >>> captioner = Captioner.from_preset()
            >>> nothing = np.zeros((1, 49, 512), np.float32)
            >>> len(captioner.caption_features([nothing, nothing]))
            2
        """
        return self.writer.caption_features(clips, **options)
