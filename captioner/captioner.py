"""The road from pictures and films to sentences, in one page."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from captioner.caption import Caption
from captioner.decoding.calibration import Calibration
from captioner.decoding.gender_share import gender_shares
from captioner.decoding.hypothesis import Hypothesis
from captioner.decoding.search import search_captions
from captioner.errors import CaptionerError
from captioner.media.ahead import read_ahead
from captioner.media.clip import Clip
from captioner.media.sampling import FRAMES
from captioner.media.sources import Source, read_clips
from captioner.presets.engine import build_engine, build_ensemble
from captioner.presets.storage import DEFAULT_PRESET, Preset, read_preset, write_preset
from captioner.result import Result
from captioner.text.gender import without_gender
from captioner.text.tokenizer import join_words
from captioner.text.wording import Wording
from captioner.vision.smoothing import smooth_frames

CERTAIN_GENDER = 0.99  # share of a gender from which it is said; see docs/how-to/wording.md


class Captioner:
    """Describes pictures, and films shot by shot.

    Several threads may use one captioner; after a fork, each process needs its own.

    Args:
        preset: The trained captioner, as `read_preset` gives it; or several, whose predictions are
            averaged word by word, and of which the first says how to search.
        precision: "auto", "bfloat16" or "float32".
        engine: "openvino", "keras", or "auto": OpenVINO, which starts fast and runs on the CPU,
            where it is installed and the preset has its graphs. A GPU is for Keras.

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
        self.vocabulary = self.preset.vocabulary
        self.engine = (
            build_engine(self.preset, engine, precision)
            if len(presets) == 1
            else build_ensemble(presets, engine, precision)
        )
        self.image_size = self.engine.image_size
        curve = self.preset.config.get("confidence") if len(presets) == 1 else None
        self._calibration = Calibration(**curve) if curve else None
        self._process = os.getpid()

    @classmethod
    def from_preset(
        cls,
        name_or_folder: str | Path = DEFAULT_PRESET,
        precision: str = "auto",
        engine: str = "auto",
    ) -> "Captioner":
        """Loads a bundled preset by its name, or one of the user's by its folder.

        Raises:
            CaptionerError: If it is missing or damaged.
        """
        return cls(read_preset(name_or_folder), precision, engine)

    def save_to_preset(self, folder: str | Path, overwrite: bool = False) -> None:
        """Write the captioner as a preset that `from_preset` reads; see `write_preset`."""
        write_preset(folder, self.preset, overwrite)

    def generate(self, sources: Source | Sequence[Source], **options: Any) -> list[Caption]:
        """Describes pictures and films.

        Args:
            sources: One source or a sequence of them. A picture is a path, bytes, a PIL image or
                an array; a film is a path or a `Clip`.
            options: Those of `describe`.

        Returns:
            The best caption of each picture and of each shot of each film, in order;
            `num_captions` more than one gives it `alternatives`.

        Raises:
            CaptionerError: If a source cannot be read.

        Example:
            >>> captioner = Captioner.from_preset()
            >>> captions = captioner.generate("data/samples/shepherd_and_cat.mp4")
            >>> [caption.span for caption in captions]
            [(0.0, 2.0), (2.0, 4.0)]
        """
        # An array or bytes are sequences to Python, and one picture to us.
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
        """Describes sources as they come, of which there may be any number.

        Args:
            sources: As for `generate`.
            options: Those of `describe`.

        Yields:
            For each picture and each shot its caption, or the error that says why there is none.
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
        """Describes sources as they come, and tells which of them each caption is about.

        Args:
            sources: As for `generate`.
            every: Seconds of film for each sentence; `math.inf` for one about the whole film; None
                for one a shot.
            batch_size: Frames that go through the network together, unless one clip has more.
            num_captions: Sentences for each picture or shot.
            mirror: Whether the mirror image of each frame is looked at, too, as a frame more: a
                little better, at twice the time. What is left or right is then uncertain.
            min_confidence: 0 to 1; a caption of less confidence is withheld: its text is empty and
                it is `uncertain`.
            timeout: Seconds that reading one source may take; then there is an error instead.
            gender_neutral: Whether "person" stands in place of "man" or "woman", and so on, where
                the network gives the same sentence with the other gender more than a hundredth of
                the weight; see `gender_shares`. `words` stay as the decoder wrote them.
            wording: How the text of captions is written.
            search_options: Those of `beam_search` that shall differ from the preset's:
                beam_width, max_length, min_length, length_power, no_repeat_ngram; and `never`,
                words that are not to be said.

        Yields:
            One result for each picture; one for each shot of a film, and, if the film breaks off,
            the error after them.

        Raises:
            CaptionerError: If a least confidence is asked of a preset that has none, or in a
                process that was forked after the captioner was made.
        """
        if os.getpid() != self._process:
            # The threads of OpenVINO and TensorFlow do not exist here: a call would wait for ever.
            raise CaptionerError(
                "a Captioner cannot be used in a forked process: create one in each process, or "
                'start them by multiprocessing.get_context("spawn")'
            )
        if min_confidence and self._calibration is None:
            raise CaptionerError(
                "min_confidence needs a preset with a confidence: choose one by "
                "`python scripts/calibrate.py PRESET --dataset DATA --fit`, or leave it out"
            )
        options = {**self.preset.config["generation"], **search_options}
        options["gender_neutral"] = gender_neutral
        options["beam_width"] = max(options["beam_width"], num_captions)
        options["num_captions"] = num_captions
        most = self.preset.config.get("frames", FRAMES)
        read = partial(read_clips, size=self.image_size, every=every, most=most, cut_short=True)
        for batch in read_ahead(read, sources, batch_size, timeout=timeout):
            clips = [reading.clip for reading in batch if isinstance(reading.clip, Clip)]
            captions = iter(self._describe_clips(clips, mirror, **options))
            for reading in batch:
                if isinstance(reading.clip, CaptionerError):
                    yield Result(reading.index, reading.clip, reading.last, frames=0)
                else:
                    caption = next(captions)
                    if isinstance(caption, Caption):
                        caption = _withhold(caption, min_confidence)
                        caption = caption if wording is None else wording.apply(caption)
                    frames = len(reading.clip.frames)
                    yield Result(reading.index, caption, reading.last, frames)

    def _describe_clips(
        self, clips: Sequence[Clip], mirror: bool, gender_neutral: bool, **options: Any
    ) -> list[Caption | CaptionerError]:
        if not clips:
            return []
        views = [
            (clip.frames, clip.frames[:, :, ::-1]) if mirror else (clip.frames,) for clip in clips
        ]
        frames = np.concatenate([view for own in views for view in own])  # (N, H, W, 3), N of all
        encoded = self.engine.encode(frames[:, np.newaxis])[:, 0]  # (N, P, C)
        if "frames" not in self.preset.config:  # learnt from pictures
            ends = np.cumsum([len(view) for own in views for view in own])
            encoded = np.concatenate(list(map(smooth_frames, np.split(encoded, ends[:-1]))))
        lengths = np.array([sum(map(len, own)) for own in views])  # (B,)
        frame_mask = np.arange(lengths.max()) < lengths[:, np.newaxis]  # (B, T)
        features = np.zeros((*frame_mask.shape, *encoded.shape[1:]), encoded.dtype)
        features[frame_mask] = encoded  # (B, T, P, C)
        found = search_captions(self.engine, self.vocabulary, features, frame_mask, **options)
        captions = [self._caption(*pair, mirror) for pair in zip(found, clips, strict=True)]
        if gender_neutral:
            shares = gender_shares(self.engine, self.vocabulary, features, frame_mask, found)
            captions = [_neutral(*pair) for pair in zip(captions, shares, strict=True)]
        return captions

    def _caption(
        self, hypotheses: Sequence[Hypothesis], clip: Clip, mirror: bool
    ) -> Caption | CaptionerError:
        if not hypotheses:
            return CaptionerError("no sentence is possible under these options: relax them")
        best, *others = (self._read(hypothesis, clip, mirror) for hypothesis in hypotheses)
        return replace(best, alternatives=tuple(others))

    def _read(self, hypothesis: Hypothesis, clip: Clip, mirror: bool) -> Caption:
        words = tuple(self.vocabulary.decode(hypothesis.token_ids))
        attention, log_prob, curve = hypothesis.attention, hypothesis.log_prob, self._calibration
        return Caption(
            text=join_words(words),
            words=words,
            log_prob=log_prob,
            score=hypothesis.score,
            attention=None if attention is None else _by_frame(attention, len(clip.frames), mirror),
            span=clip.span,
            partial=clip.partial,
            confidence=None if curve is None else curve.confidence(log_prob, len(words)),
        )


def _neutral(
    caption: Caption | CaptionerError, shares: Sequence[float]
) -> Caption | CaptionerError:
    """A caption and its alternatives, without a gender where its share is less than certain."""
    if isinstance(caption, CaptionerError):
        return caption
    best, *others = (
        said
        if share >= CERTAIN_GENDER
        else replace(said, text=join_words(without_gender(said.words)))
        for said, share in zip((caption, *caption.alternatives), shares, strict=True)
    )
    return replace(best, alternatives=tuple(others))


def _withhold(caption: Caption, least: float) -> Caption:
    """The caption, or, if its confidence is less than the least, one without text."""
    if caption.confidence is None or caption.confidence >= least:
        return caption
    nothing: dict[str, Any] = {"text": "", "words": (), "attention": None, "alternatives": ()}
    return replace(caption, uncertain=True, **nothing)


def _by_frame(attention: np.ndarray, frames: int, mirror: bool) -> np.ndarray:
    """The attention (L, frames, P) to a clip, without padding, and with that to mirror images."""
    own = attention[:, :frames]
    if not mirror:
        return own
    side = math.isqrt(own.shape[2])
    mirrored = attention[:, frames : 2 * frames].reshape(*own.shape[:2], side, side)
    return own + mirrored[..., ::-1].reshape(own.shape)
