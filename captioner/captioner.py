"""The pipeline from images and videos to captions or labels."""

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
    """Model that captions or labels images and videos, depending on the preset's task.

    Several threads may use one captioner; after a fork, each process needs its own.

    Args:
        preset: Trained model from `read_preset`; or several captioning models, whose predictions
            are averaged word by word. The first one's search options are used.
        precision: "auto", "bfloat16" or "float32".
        engine: "openvino", "keras", or "auto": OpenVINO, which starts fast and runs on the CPU,
            if it is installed and the preset has its graphs. A GPU needs Keras.

    Attributes:
        head: Head that reads sources and describes clips: a `CaptionHead`, or a `LabelHead` for
            activities.

    Raises:
        CaptionerError: If the preset is inconsistent or does not fit the engine, or several
            presets do not fit each other.

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
            raise CaptionerError("only presets that write captions form an ensemble: give one")
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
        """Load a bundled preset by its name, or a user's preset by its folder.

        Raises:
            CaptionerError: If the preset is missing or damaged.
        """
        return cls(read_preset(name_or_folder, task=None), precision, engine)

    def save_to_preset(self, folder: str | Path, overwrite: bool = False) -> None:
        """Save the captioner as a preset for `from_preset`; see `write_preset`."""
        write_preset(folder, self.preset, overwrite)

    def generate(self, sources: Source | Sequence[Source], **options: Any) -> list[Caption]:
        """Describe images and videos.

        Args:
            sources: One source or a sequence of sources. An image is a path, bytes, a PIL image or
                an array; a video is a path or a `Clip`; for an activity model, also a folder of
                numbered frames.
            options: Options of `describe`.

        Returns:
            The best caption of each image and of each shot of each video, in order; or, for an
            activity model, the `Label` of each source. If `num_captions` is more than one, the
            others are its `alternatives`.

        Raises:
            CaptionerError: If a source cannot be read.

        Example:
            >>> captioner = Captioner.from_preset()
            >>> captions = captioner.generate("data/samples/shepherd_and_cat.mp4")
            >>> [caption.span for caption in captions]
            [(0.0, 2.0), (2.0, 4.0)]
        """
        # Bytes are a sequence in Python, but one image here.
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
        """Describe any number of sources as they arrive.

        Args:
            sources: Sources as for `generate`.
            options: Options of `describe`.

        Yields:
            The caption of each image and each shot, or the error that explains why it is missing.
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
        """Describe sources as they arrive; each result has a caption and its source.

        Args:
            sources: Sources as for `generate`.
            every: Seconds of video per sentence; `math.inf` for one sentence per video; None for
                one per shot. A label is always for the whole video.
            batch_size: Number of frames in one pass of the network, unless one clip has more.
            num_captions: Number of sentences per image or shot, or of labels.
            mirror: If True, also attend to the mirror image of each frame, as an extra frame: a
                little better, at twice the time. Left and right are then uncertain.
            min_confidence: Minimum confidence, 0 to 1; below it, the caption is withheld: its text
                is empty and it is `uncertain`.
            timeout: Maximum number of seconds to read one source; after that, it has an error.
            gender_neutral: If True, write "person" instead of "man" or "woman", and so on, if the
                same sentence with the other gender has a share above one hundredth; see
                `gender_shares`. `words` remain as the decoder wrote them.
            wording: Wording of the text of captions.
            search_options: Overrides of the preset's `beam_search` options: beam_width,
                max_length, min_length, length_power, no_repeat_ngram; and `never`, words that
                captions must not contain.

        Yields:
            One result for each image; one for each shot of a video, followed by an error if the
            video is cut off.

        Raises:
            CaptionerError: If an option does not apply to the preset's task, if `min_confidence`
                is given for a preset without confidence, or if the process was forked after the
                captioner was created.
        """
        if os.getpid() != self._process:
            # The threads of OpenVINO and TensorFlow do not exist here: a call would never return.
            raise CaptionerError(
                "a Captioner cannot be used in a forked process: create one in each process, or "
                'start them by multiprocessing.get_context("spawn")'
            )
        if min_confidence and self.preset.task != ACTIVITY and self.writer.calibration is None:
            raise CaptionerError(
                "min_confidence needs a calibrated preset: calibrate this one with "
                "`python scripts/calibrate.py PRESET --dataset DATA --fit`, or leave it out"
            )
        options: dict[str, Any] = {"num_captions": num_captions, **search_options}
        options |= {"mirror": True} if mirror else {}
        options |= {"min_confidence": min_confidence} if min_confidence else {}
        options |= {"gender_neutral": True} if gender_neutral else {}
        if self.preset.task == ACTIVITY and (every not in (None, math.inf) or len(options) > 1):
            raise CaptionerError(
                "this preset labels whole clips: only the options num_captions and batch_size "
                "apply to it"
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
        """The head, if it writes captions.

        Raises:
            CaptionerError: If the head assigns labels.
        """
        if not isinstance(self.head, CaptionHead):
            raise CaptionerError("this preset labels clips: give one that writes captions")
        return self.head

    def caption_features(
        self, clips: Sequence[np.ndarray], **options: Any
    ) -> list[Caption | CaptionerError]:
        """Write captions of clips from their features; see `CaptionHead.caption_features`.

        Args:
            clips: Features of each clip, float (T, P, C), as encoded by `writer.engine`.
            options: `num_captions`, and overrides of the preset's `beam_search` options.

        Raises:
            CaptionerError: If the preset assigns labels.

        Example:
            >>> captioner = Captioner.from_preset()
            >>> nothing = np.zeros((1, 49, 512), np.float32)
            >>> len(captioner.caption_features([nothing, nothing]))
            2
        """
        return self.writer.caption_features(clips, **options)
