"""How sure a decoder is: of a caption, and of the gender that it names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from captioner.engines.engine import Engine
from captioner.search.beam import Hypothesis
from captioner.text.vocabulary import Vocabulary
from captioner.text.wording import names_one_gender, other_gender


@dataclass(frozen=True)
class Calibration:
    """Estimates the share of a caption's content words that people would confirm.

    A logistic curve over the mean log-probability of a caption's tokens, its end included (Platt
    1999, with shares in place of classes). Log-probabilities themselves are no confidence: they
    grow with training, and by how much depends on how.

    Args:
        intercept: of the curve.
        slope: of the curve.

    Example:
        >>> Calibration(intercept=1.0, slope=2.0).confidence(log_prob=-5.0, words=9)
        0.5
    """

    intercept: float
    slope: float

    @classmethod
    def fit(
        cls, log_probs: Sequence[float], words: Sequence[int], shares: Sequence[float]
    ) -> "Calibration":
        """Fits the curve by maximum likelihood, to the captions of a validation split.

        Args:
            log_probs: (N,) natural-log probabilities of captions.
            words: (N,) their numbers of words.
            shares: (N,) 0 to 1, what people confirmed of each.

        Returns:
            The calibration.
        """
        x = np.asarray(log_probs) / (np.asarray(words) + 1)
        design = np.stack([np.ones_like(x), x], axis=1)  # (N, 2)
        weights = np.zeros(2)
        for _ in range(50):  # Newton's method; a handful of steps suffices
            expected = 1 / (1 + np.exp(-design @ weights))  # (N,)
            gradient = design.T @ (np.asarray(shares) - expected)
            # A little ridge: captions of one and the same probability would leave no slope.
            hessian = (design * (expected * (1 - expected))[:, None]).T @ design + 1e-6 * np.eye(2)
            weights = weights + np.linalg.solve(hessian, gradient)
        return cls(float(weights[0]), float(weights[1]))

    def confidence(self, log_prob: float, words: int) -> float:
        """Return the expected share, 0 to 1.

        Args:
            log_prob: natural-log probability of the caption.
            words: its number of words.
        """
        return float(1 / (1 + np.exp(-self.intercept - self.slope * log_prob / (words + 1))))


def gender_shares(
    engine: Engine,
    vocabulary: Vocabulary,
    features: np.ndarray,
    frame_mask: np.ndarray,
    found: Sequence[Sequence[Hypothesis]],
) -> list[list[float]]:
    """Weigh each sentence against the same one with the other gender.

    Args:
        engine: That found the sentences.
        vocabulary: The words of the decoder.
        features: float (B, T, P, C), of the clips.
        frame_mask: bool (B, T), False for padding frames.
        found: For each clip its hypotheses.

    Returns:
        For each hypothesis P(sentence) / (P(sentence) + P(the other one)), 0 to 1: near 1 where the
        picture shows the gender, one half where it leaves it open; 1 where the sentence names
        none, or both; 0 where the other word is not in the vocabulary.
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
    features: np.ndarray,
    frame_mask: np.ndarray,
    sentences: Sequence[Sequence[int]],
) -> np.ndarray:
    """Return the log-probabilities of given sentences.

    Args:
        engine: It holds the network.
        vocabulary: The words of the decoder.
        features: float (B, T, P, C).
        frame_mask: bool (B, T).
        sentences: B sentences, as ids without start and end.

    Returns:
        float64 (B,), natural logarithms, the end token included.
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
