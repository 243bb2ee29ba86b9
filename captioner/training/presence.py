"""Training of the word detector (presence): its words, targets, loss and score."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.datasets.dataset import Example
from captioner.datasets.mixture import Mixture
from captioner.text.english import mentioned_shares
from captioner.training.batches import Batches, Read

_UNKNOWN = -1.0
_QUANTILES = 33
_FEW = 20  # images with a word; a word with fewer gets the distribution of all words


def choose_words(mixture: Mixture, count: int) -> list[str]:
    """Choose the stems that the captions of the most training images mention.

    Args:
        mixture: Data sets; each counts by its weight, and those without captions do not count.
        count: Number of stems, at most.

    Returns:
        Stems by descending frequency.
    """
    total: Counter[str] = Counter()
    for example in mixture.split("train"):
        if not example.path:  # a detector needs images
            continue
        weight = mixture.part_of(example).settings.weight
        for word, share in mentioned_shares(example.tokens).items():
            total[word] += weight * share  # type: ignore[assignment]  # a Counter holds floats
    ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return [word for word, _ in ranked[:count]]


class PresenceTargets:
    """Targets of the detector: the words that the captions of an image mention.

    Args:
        words: W stems.
        mixture: Data sets. Some examples have only phrases or class names instead of captions; a
            word that these do not mention may still be present.
    """

    def __init__(self, words: Sequence[str], mixture: Mixture) -> None:
        self._columns = {word: column for column, word in enumerate(words)}
        self._mixture = mixture

    def of(self, example: Example) -> np.ndarray:
        """Return the targets of one example.

        Returns:
            float32 (W,): the share of the captions that mention the word. Without captions: 1 for
            a word that is mentioned and -1, unknown, for the others.
        """
        complete = self._mixture.part_of(example).settings.captions
        target = np.full(len(self._columns), 0.0 if complete else _UNKNOWN, np.float32)
        for word, share in mentioned_shares(example.tokens).items():
            if (column := self._columns.get(word)) is not None:
                target[column] = share if complete else 1.0
        return target


class PresenceData:
    """Simulates the detector's output for captions without an image, as input of the decoder.

    Args:
        targets: Targets of the words.
        detect: Detector function; returns logits (B, W) for features (B, T, P, C) and a frame mask
            (B, T).
    """

    def __init__(
        self, targets: PresenceTargets, detect: Callable[[np.ndarray, np.ndarray], Any]
    ) -> None:
        self._targets = targets
        self._detect = detect

    def measure(
        self,
        examples: Sequence[Example],
        read: Callable[[Sequence[Example]], tuple[np.ndarray, np.ndarray]],
    ) -> None:
        """Measure the detector's probabilities on images with known captions.

        Args:
            examples: Examples; those without an image are skipped.
            read: Function that returns features (B, T, P, C) and frame mask (B, T) of examples.
        """
        real = [example for example in examples if example.path]
        logits = [
            np.asarray(self._detect(*read(real[start : start + 100])))
            for start in range(0, len(real), 100)
        ]
        probabilities = 1 / (1 + np.exp(-np.concatenate(logits)))
        self._noise = PresenceNoise.fit(stack_targets(self._targets, real), probabilities)
        self._unknown = np.full(probabilities.shape[1], _UNKNOWN, np.float32)

    def tell(self, example: Example, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities, float32 (W,), for captions without an image; -1 for an image."""
        if example.path:
            return self._unknown
        return self._noise.draw(self._targets.of(example), rng)


class PresenceLoss(keras.losses.Loss):
    """Binary cross entropy, summed over the words with known targets.

    Example:
        >>> targets, logits = np.array([[1.0, 0.5, -1.0]]), np.zeros((1, 3), "float32")
        >>> round(float(PresenceLoss()(targets, logits)), 3)  # two times log 2
        1.386
    """

    def __init__(self, name: str = "presence_loss") -> None:
        super().__init__(name=name)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Turn targets (B, W) and logits (B, W) into losses (B,)."""
        y_true = ops.cast(y_true, "float32")
        known = ops.cast(y_true >= 0, "float32")
        # log(1 + e^x) - y x, the stable form
        losses = ops.softplus(y_pred) - y_true * y_pred
        return ops.sum(known * losses, axis=-1)


class PresenceBatches(Batches):
    """Images with the targets of their words.

    Args:
        examples: Examples of the train split.
        read: Function that reads the network's input, as for `CaptionBatches`.
        targets: Targets of the words.
        kwargs: Arguments of `Batches`.

    Items:
        inputs: The result of `read`.
        targets: float32 (B, W).
    """

    def __init__(
        self, examples: Sequence[Example], read: Read, targets: PresenceTargets, **kwargs: Any
    ) -> None:
        super().__init__(examples, **kwargs)
        self._read = read
        self._targets = [targets.of(example) for example in examples]

    def make(
        self, rows: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Make a batch."""
        inputs = self._read([self.examples[row] for row in rows], rng)
        return inputs, np.stack([self._targets[row] for row in rows])


class PresenceModel(keras.Model):
    """VGG16 and the word detector as one model for `fit`.

    Args:
        encoder: A `VGG16Encoder`; only its trainable blocks are trained.
        presence: A built `WordPresence`.
    """

    def __init__(self, encoder: Any, presence: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.presence = presence
        self.built = True

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Turn inputs as for `CaptionModel` into logits (B, W)."""
        features = inputs["features"] if "features" in inputs else self.encoder(inputs["images"])
        return self.presence(features, inputs.get("frame_mask"), training=training)


def mean_average_precision(targets: np.ndarray, scores: np.ndarray) -> float:
    """Average the precision at each relevant image over images and then over words.

    Args:
        targets: Targets (N, W), above 0 where a word is present; -1 (unknown) counts as absent.
        scores: Scores (N, W), higher for words that are more likely present.

    Returns:
        Mean from 0 to 1 over the words that are present in any image; equal to scikit-learn's
        `average_precision_score` if no two scores of a word are equal.

    Raises:
        ValueError: If no image has any of the words.

    Example:
        >>> mean_average_precision(np.array([[1], [0], [1]]), np.array([[0.9], [0.8], [0.1]]))
        0.8333333333333333
    """
    precisions = []
    for present, score in zip((targets > 0).T, scores.T, strict=True):
        if present.any():
            ranked = present[np.argsort(-score, kind="stable")]
            hits = np.cumsum(ranked)
            precisions.append((hits / np.arange(1, len(ranked) + 1))[ranked].mean())
    if not precisions:
        raise ValueError("no image has any of the words")
    return float(np.mean(precisions))


def stack_targets(targets: PresenceTargets, examples: Iterable[Example]) -> np.ndarray:
    """Return the targets of several examples, (N, W)."""
    return np.stack([targets.of(example) for example in examples])


class PresenceNoise:
    """Draws probabilities such as a detector returns for present and for absent words.

    Each word has the distribution of the detector on real images, and is drawn independently.

    Args:
        present: Quantiles (W, Q) of the probabilities of each word in images where it is present.
        absent: Quantiles (W, Q) in images where it is absent.

    Example:
        >>> targets = np.array([[1.0, 0.0], [0.0, 0.0]], "float32")
        >>> noise = PresenceNoise.fit(targets, np.array([[0.9, 0.1], [0.2, 0.1]], "float32"))
        >>> noise.draw(np.array([0.4, 0.0]), np.random.default_rng(0)).tolist() == [
        ...     np.float32(0.9), np.float32(0.1)
        ... ]
        True
    """

    def __init__(self, present: np.ndarray, absent: np.ndarray) -> None:
        self._present = present
        self._absent = absent

    @classmethod
    def fit(cls, targets: np.ndarray, probabilities: np.ndarray) -> "PresenceNoise":
        """Measure the distributions on real images.

        Args:
            targets: Targets (N, W), above 0 where a word is present, -1 where that is unknown.
            probabilities: Probabilities (N, W) of the detector.
        """
        levels = np.linspace(0, 1, _QUANTILES)
        tables = []
        for chosen in (targets > 0, targets == 0):
            pooled = np.quantile(probabilities[chosen], levels) if chosen.any() else levels * 0
            tables.append(
                np.stack(
                    [
                        np.quantile(column[rows], levels) if rows.sum() >= _FEW else pooled
                        for column, rows in zip(probabilities.T, chosen.T, strict=True)
                    ]
                ).astype(np.float32)
            )
        return cls(*tables)

    def draw(self, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the probabilities of one image.

        Args:
            shares: Shares (W,), above 0 for words that its captions mention.
            rng: Random generator.

        Returns:
            float32 (W,).
        """
        # Inverse transform sampling, with linear interpolation between two quantiles.
        place = rng.random(len(shares)) * (_QUANTILES - 1)
        low = place.astype(int)
        table = np.where((shares > 0)[:, np.newaxis], self._present, self._absent)
        rows = np.arange(len(shares))
        step = table[rows, low + 1] - table[rows, low]
        return (table[rows, low] + (place - low) * step).astype(np.float32)
