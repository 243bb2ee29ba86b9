"""The head that writes captions from features of clips."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from captioner.engines.choice import build_engine, build_ensemble
from captioner.engines.engine import Engine
from captioner.errors import CaptionerError
from captioner.media.clip import Clip
from captioner.media.sampling import FRAMES
from captioner.media.sources import Source, read_clips
from captioner.models.clip_features import pad_clips, smooth_frames
from captioner.presets.storage import Preset
from captioner.results import Caption
from captioner.search.beam import Hypothesis
from captioner.search.confidence import Calibration, gender_shares
from captioner.search.search import search_captions
from captioner.text.subwords import Subwords
from captioner.text.tokenizer import join_words
from captioner.text.vocabulary import Vocabulary
from captioner.text.wording import without_gender

CERTAIN_GENDER = 0.99  # minimum share of a gender to write it; see docs/how-to/wording.md


class CaptionHead:
    """Head that writes captions of clips by a beam search over an engine's predictions.

    Args:
        engine: Engine that runs the network.
        vocabulary: Vocabulary of the decoder.
        generation: Options of `beam_search`.
        frames: Number of frames per clip in training; None if the decoder was trained on images.
        calibration: Calibration of the confidence; None for captions without one.
    """

    def __init__(
        self,
        engine: Engine,
        vocabulary: Vocabulary,
        generation: Mapping[str, Any],
        frames: int | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.engine = engine
        self.vocabulary = vocabulary
        self.generation = generation
        self.frames = frames
        self.calibration = calibration

    @classmethod
    def from_presets(cls, presets: Sequence[Preset], precision: str, engine: str) -> "CaptionHead":
        """Build the head of a preset, or of several whose predictions are averaged."""
        first = presets[0]
        curve = first.config.get("confidence") if len(presets) == 1 else None
        return cls(
            build_engine(first, engine, precision)
            if len(presets) == 1
            else build_ensemble(presets, engine, precision),
            first.vocabulary,
            first.config["generation"],
            first.config.get("frames"),
            Calibration(**curve) if curve else None,
        )

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width to which frames are stretched, in pixels."""
        return self.engine.image_size

    def read(self, source: Source, every: float | None) -> Iterator[Clip]:
        """Read the clips of a source at the network's image size."""
        most = self.frames or FRAMES
        return read_clips(source, self.image_size, every, most, cut_short=True)

    def describe(
        self,
        clips: Sequence[Clip],
        *,
        mirror: bool = False,
        min_confidence: float = 0.0,
        **options: Any,
    ) -> list[Caption | CaptionerError]:
        """Write captions of clips; see `Captioner.describe` for the options."""
        if not clips:
            return []
        views = [
            (clip.frames, clip.frames[:, :, ::-1]) if mirror else (clip.frames,) for clip in clips
        ]
        frames = np.concatenate([view for own in views for view in own])  # (N, H, W, 3), N of all
        encoded = self.engine.encode(frames[:, np.newaxis])[:, 0]  # (N, P, C)
        ends = np.cumsum([len(view) for own in views for view in own])
        parts = np.split(encoded, ends[:-1])
        if self.frames is None:  # the decoder was trained on images
            parts = list(map(smooth_frames, parts))
        step = len(views[0])
        features = [
            np.concatenate(parts[first : first + step]) for first in range(0, len(parts), step)
        ]
        captions = self.caption_features(features, **options)
        return [
            caption
            if isinstance(caption, CaptionerError)
            else _withhold(_of_clip(caption, clip, mirror), min_confidence)
            for caption, clip in zip(captions, clips, strict=True)
        ]

    def caption_features(
        self,
        clips: Sequence[np.ndarray],
        num_captions: int = 1,
        gender_neutral: bool = False,
        **options: Any,
    ) -> list[Caption | CaptionerError]:
        """Write captions of clips from their features.

        Args:
            clips: Features of each clip, float (T, P, C); T may differ.
            num_captions: Number of sentences for each clip.
            gender_neutral: As for `Captioner.describe`.
            options: Overrides of the head's `beam_search` options.

        Returns:
            The best caption of each clip, with the others as its alternatives, or an error if no
            sentence is possible under the options.

        Raises:
            CaptionerError: If `gender_neutral` is given for a preset with subwords, whose language
                is unknown.
        """
        if gender_neutral and isinstance(self.vocabulary, Subwords):
            raise CaptionerError(
                "gender-neutral wording knows only English words, but this preset writes subwords "
                "of any language: leave --gender-neutral out"
            )
        search = {**self.generation, **options, "num_captions": num_captions}
        search["beam_width"] = max(search.get("beam_width", 1), num_captions)
        features, frame_mask = pad_clips(clips)
        found = search_captions(self.engine, self.vocabulary, features, frame_mask, **search)
        captions = [self._caption(hypotheses) for hypotheses in found]
        if not gender_neutral:
            return captions
        shares = gender_shares(self.engine, self.vocabulary, features, frame_mask, found)
        return [_neutral(*pair) for pair in zip(captions, shares, strict=True)]

    def _caption(self, hypotheses: Sequence[Hypothesis]) -> Caption | CaptionerError:
        if not hypotheses:
            return CaptionerError("no sentence is possible under these options: relax them")
        best, *others = map(self._read, hypotheses)
        return replace(best, alternatives=tuple(others))

    def _read(self, hypothesis: Hypothesis) -> Caption:
        words = tuple(self.vocabulary.decode(hypothesis.token_ids))
        log_prob, curve = hypothesis.log_prob, self.calibration
        attention = hypothesis.attention
        if attention is not None:
            lengths = self.vocabulary.word_lengths(hypothesis.token_ids)
            attention = _by_word(attention, lengths)
        return Caption(
            text=self.vocabulary.join(words),
            words=words,
            log_prob=log_prob,
            score=hypothesis.score,
            attention=attention,
            confidence=None
            if curve is None
            else curve.confidence(log_prob, len(hypothesis.token_ids)),
        )


def _by_word(attention: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
    """Return the attention (words, T, P): the mean over the tokens of each word."""
    if len(lengths) == len(attention):
        return attention
    starts = np.cumsum([0, *lengths[:-1]])
    summed = np.add.reduceat(attention, starts, axis=0)
    return summed / np.array(lengths, np.float32)[:, np.newaxis, np.newaxis]


def _neutral(
    caption: Caption | CaptionerError, shares: Sequence[float]
) -> Caption | CaptionerError:
    """Remove the gender from a caption and its alternatives where it is not certain."""
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
    """Return the caption, or one without text if its confidence is below the minimum."""
    if caption.confidence is None or caption.confidence >= least:
        return caption
    nothing: dict[str, Any] = {"text": "", "words": (), "attention": None, "alternatives": ()}
    return replace(caption, uncertain=True, **nothing)


def _of_clip(caption: Caption, clip: Clip, mirror: bool) -> Caption:
    """Return the caption with the clip's span, and its attention without padding frames."""
    attention = caption.attention
    if attention is not None:
        attention = _by_frame(attention, len(clip.frames), mirror)
    alternatives = tuple(_of_clip(other, clip, mirror) for other in caption.alternatives)
    return replace(
        caption,
        span=clip.span,
        partial=clip.partial,
        attention=attention,
        alternatives=alternatives,
    )


def _by_frame(attention: np.ndarray, frames: int, mirror: bool) -> np.ndarray:
    """Return the attention (L, frames, P) without padding; that to mirror images is added."""
    own = attention[:, :frames]
    if not mirror:
        return own
    side = math.isqrt(own.shape[2])
    mirrored = attention[:, frames : 2 * frames].reshape(*own.shape[:2], side, side)
    return own + mirrored[..., ::-1].reshape(own.shape)
