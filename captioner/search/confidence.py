"""Confidence of a decoder in a caption, and in the gender that it names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from captioner.arrays import Features, FrameMask, Scores
from captioner.engines.engine import Engine
from captioner.search.beam import Hypothesis
from captioner.text.vocabulary import Vocabulary
from captioner.text.wording import names_one_gender, other_gender


@dataclass(frozen=True)
class Calibration:
    """Estimate of the share of a caption's content words that people would confirm.

    This is a logistic curve over the mean log-probability of a caption's tokens, including its end
    (Platt 1999, with shares instead of classes). Log-probabilities alone are not a confidence: they
    rise during training, by an amount that depends on the training method.

    Args:
        intercept: Intercept of the curve.
        slope: Slope of the curve.

    Example:
        >>> Calibration(intercept=1.0, slope=2.0).confidence(log_prob=-5.0, words=9)
        0.5
    """

    intercept: float
    slope: float

    @classmethod
    def fit(
        cls,
        log_probs: Sequence[float] | np.ndarray,
        words: Sequence[int] | np.ndarray,
        shares: Sequence[float] | np.ndarray,
    ) -> "Calibration":
        """Fit the curve by maximum likelihood to the captions of a validation split.

        Args:
            log_probs: Natural-log probabilities of captions, (N,).
            words: Numbers of words of the captions, (N,).
            shares: Share of each caption that people confirmed, 0 to 1, (N,).

        Returns:
            The calibration.
        """
        x = np.asarray(log_probs) / (np.asarray(words) + 1)
        design = np.stack([np.ones_like(x), x], axis=1)  # (N, 2)
        weights = np.zeros(2)
        for _ in range(50):  # Newton's method; a few steps suffice
            expected = 1 / (1 + np.exp(-design @ weights))  # (N,)
            gradient = design.T @ (np.asarray(shares) - expected)
            # A small ridge: if all captions had the same probability, the slope would be undefined.
            hessian = (design * (expected * (1 - expected))[:, None]).T @ design + 1e-6 * np.eye(2)
            weights = weights + np.linalg.solve(hessian, gradient)
        return cls(float(weights[0]), float(weights[1]))

    def confidence(self, log_prob: float, words: int) -> float:
        """Return the expected share, 0 to 1.

        Args:
            log_prob: Natural-log probability of the caption.
            words: Number of words.
        """
        return float(1 / (1 + np.exp(-self.intercept - self.slope * log_prob / (words + 1))))


def gender_shares(
    engine: Engine,
    vocabulary: Vocabulary,
    features: Features,
    frame_mask: FrameMask,
    found: Sequence[Sequence[Hypothesis]],
) -> list[list[float]]:
    """Compare each sentence with the same sentence with the other gender.

    Args:
        engine: Engine that found the sentences.
        vocabulary: Vocabulary of the decoder.
        features: Features of the clips, float (B, T, P, C).
        frame_mask: bool (B, T), False for padding frames.
        found: Hypotheses of each clip.

    Returns:
        P(sentence) / (P(sentence) + P(other sentence)) for each hypothesis, 0 to 1: near 1 if the
        image shows the gender, one half if it leaves it open; 1 if the sentence names no gender or
        both; 0 if the other word is not in the vocabulary.
    """
    shares = [[1.0] * len(hypotheses) for hypotheses in found]
    cases: list[tuple[int, int, list[int]]] = []
    for clip, hypotheses in enumerate(found):
        for rank, hypothesis in enumerate(hypotheses):
            words = vocabulary.decode(hypothesis.token_ids)
            if names_one_gender(words):
                other = vocabulary.encode(other_gender(words))
                shares[clip][rank] = 0.0
                if vocabulary.unk_id not in other:
                    cases.append((clip, rank, other))
    if cases:
        clips = [clip for clip, _, _ in cases]
        log_probs = score_sentences(
            engine, vocabulary, features[clips], frame_mask[clips], [ids for _, _, ids in cases]
        )
        for (clip, rank, _), log_prob in zip(cases, log_probs, strict=True):
            difference = float(log_prob) - found[clip][rank].log_prob
            shares[clip][rank] = float(1 / (1 + np.exp(min(difference, 700.0))))
    return shares


def score_sentences(
    engine: Engine,
    vocabulary: Vocabulary,
    features: Features,
    frame_mask: FrameMask,
    sentences: Sequence[Sequence[int]],
) -> Scores:
    """Return the log-probabilities of given sentences.

    Args:
        engine: Engine that runs the network.
        vocabulary: Vocabulary of the decoder.
        features: float (B, T, P, C).
        frame_mask: bool (B, T).
        sentences: B sentences, as ids without start and end.

    Returns:
        Natural logarithms, including the end token, float64 (B,).
    """
    longest = max(map(len, sentences)) + 1
    targets = np.full((len(sentences), longest), vocabulary.pad_id, np.int32)  # (B, L)
    for row, sentence in enumerate(sentences):
        targets[row, : len(sentence) + 1] = [*sentence, vocabulary.end_id]
    memory, state = engine.begin(features, frame_mask)
    token_ids = np.full((len(sentences), 1), vocabulary.start_id, np.int32)  # (B, 1)
    totals = np.zeros(len(sentences))
    rows = np.arange(len(sentences))
    for step in range(longest):
        log_probs, state, _ = engine.predict(token_ids, state, memory)
        target = targets[:, step]
        totals += np.where(target == vocabulary.pad_id, 0.0, log_probs[rows, 0, target])
        token_ids = target[:, np.newaxis]
    return totals
