"""Word presence: its words, its targets, its loss and its score."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.datasets.caption_dataset import CaptionExample
from captioner.datasets.mixture import Mixture
from captioner.text.stems import mentioned_shares
from captioner.training.presence_noise import PresenceNoise

_UNKNOWN = -1.0


def choose_words(mixture: Mixture, count: int) -> list[str]:
    """Choose the stems that the captions of the most training images mention.

    Args:
        mixture: Each data set counts by its weight; parts without captions do not count.
        count: Number of stems, at most.

    Returns:
        Stems by falling frequency.
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
    """What the sentences of an image say of each word.

    Args:
        words: The W stems.
        mixture: Tells which examples have captions, and which a few phrases or class names, from
            whose silence nothing follows.
    """

    def __init__(self, words: Sequence[str], mixture: Mixture) -> None:
        self._columns = {word: column for column, word in enumerate(words)}
        self._mixture = mixture

    def of(self, example: CaptionExample) -> np.ndarray:
        """Return the targets of one example.

        Returns:
            float32 (W,): the share of the captions that mention the word; where there are no
            captions, 1 for a word that is named and -1, unknown, for the others.
        """
        complete = self._mixture.part_of(example).settings.captions
        target = np.full(len(self._columns), 0.0 if complete else _UNKNOWN, np.float32)
        for word, share in mentioned_shares(example.tokens).items():
            if (column := self._columns.get(word)) is not None:
                target[column] = share if complete else 1.0
        return target


class PresenceData:
    """Tells a decoder which words captions without an image mention, as its detector would.

    Args:
        targets: The words' targets.
        detect: Logits (B, W) from features (B, T, P, C) and a frame mask (B, T): the detector.
    """

    def __init__(
        self, targets: PresenceTargets, detect: Callable[[np.ndarray, np.ndarray], Any]
    ) -> None:
        self._targets = targets
        self._detect = detect

    def measure(
        self,
        examples: Sequence[CaptionExample],
        read: Callable[[Sequence[CaptionExample]], dict[str, np.ndarray]],
    ) -> None:
        """Measure what the detector says of images whose captions are known.

        Args:
            examples: Those without an image are left out.
            read: Reads `features` and `frame_mask` of some examples.
        """
        real = [example for example in examples if example.path]
        logits = []
        for start in range(0, len(real), 100):
            inputs = read(real[start : start + 100])
            logits.append(np.asarray(self._detect(inputs["features"], inputs["frame_mask"])))
        probabilities = 1 / (1 + np.exp(-np.concatenate(logits)))
        self._noise = PresenceNoise.fit(stack_targets(self._targets, real), probabilities)
        self._unknown = np.full(probabilities.shape[1], _UNKNOWN, np.float32)

    def tell(self, example: CaptionExample, rng: np.random.Generator) -> np.ndarray:
        """Probabilities float32 (W,) for captions without an image; -1 for an image."""
        if example.path:
            return self._unknown
        return self._noise.draw(self._targets.of(example), rng)


class PresenceLoss(keras.losses.Loss):
    """Binary cross entropy, summed over the words whose target is known.

    Example:
        >>> targets, logits = np.array([[1.0, 0.5, -1.0]]), np.zeros((1, 3), "float32")
        >>> round(float(PresenceLoss()(targets, logits)), 3)  # two times log 2
        1.386
    """

    def __init__(self, name: str = "presence_loss") -> None:
        super().__init__(name=name)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Targets (B, W) and logits (B, W) to losses (B,)."""
        y_true = ops.cast(y_true, "float32")
        known = ops.cast(y_true >= 0, "float32")
        # log(1 + e^x) - y x, the stable form
        losses = ops.softplus(y_pred) - y_true * y_pred
        return ops.sum(known * losses, axis=-1)


class PresenceBatches(keras.utils.PyDataset):
    """Images with the targets of their words, in a new order each epoch.

    Args:
        examples: The train split.
        read: As for `CaptionBatches`.
        targets: The words' targets.
        batch_size: Images in a batch; a last incomplete one is left out.
        seed: Of the order.
        draw_epoch: As for `CaptionBatches`.

    Items:
        inputs: `read`'s.
        targets: float32 (B, W).
    """

    def __init__(
        self,
        examples: Sequence[CaptionExample],
        read: Callable[[list[CaptionExample], np.random.Generator], dict[str, np.ndarray]],
        targets: PresenceTargets,
        *,
        batch_size: int,
        seed: int,
        draw_epoch: Callable[[np.random.Generator], np.ndarray],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.examples = examples
        self.batch_size = min(batch_size, len(examples))
        self.seed = seed
        self._draw_epoch = draw_epoch
        self._read = read
        self._targets = [targets.of(example) for example in examples]
        self.set_epoch(0)

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        rng = np.random.default_rng((self.seed, self.epoch, index))
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        inputs = self._read([self.examples[row] for row in rows], rng)
        return inputs, np.stack([self._targets[row] for row in rows])

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, counted from 0, as at its beginning."""
        self.epoch = epoch
        self.order = self._draw_epoch(np.random.default_rng((self.seed, epoch)))

    def on_epoch_end(self) -> None:
        """Go to the next epoch; called by `fit`."""
        self.set_epoch(self.epoch + 1)

    def close(self) -> None:
        """Nothing is left to end."""


class PresenceModel(keras.Model):
    """VGG16 and the detector of words, as `fit` trains them.

    Args:
        encoder: A `VGG16Encoder`; trained as far as it is trainable.
        presence: A built `WordPresence`.
    """

    def __init__(self, encoder: Any, presence: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.presence = presence
        self.built = True

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Inputs as of `CaptionModel` to logits (B, W)."""
        features = inputs["features"] if "features" in inputs else self.encoder(inputs["images"])
        return self.presence(features, inputs.get("frame_mask"), training=training)


def mean_average_precision(targets: np.ndarray, scores: np.ndarray) -> float:
    """Average the precision at each relevant image over images and then over words.

    Args:
        targets: (N, W), above 0 where a word is present; -1 where that is unknown counts as absent.
        scores: (N, W), the higher the likelier.

    Returns:
        0 to 1, over words that any image has; as scikit-learn's `average_precision_score` where no
        two scores of a word are equal.

    Raises:
        ValueError: No image has any word.

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


def stack_targets(targets: PresenceTargets, examples: Iterable[CaptionExample]) -> np.ndarray:
    """The targets of several examples, (N, W)."""
    return np.stack([targets.of(example) for example in examples])
