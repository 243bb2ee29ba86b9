"""Batches of examples in an order that a resumed training makes again."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from captioner.datasets.dataset import Example
from captioner.text.vocabulary import Vocabulary

Read = Callable[[list[Example], np.random.Generator], dict[str, np.ndarray]]


class Batches(keras.utils.PyDataset):
    """Examples in a new order each epoch, of which a subclass makes inputs and targets.

    Order and choice depend on (seed, epoch, batch) alone, so a resumed training sees exactly what
    an undisturbed one would.

    Args:
        examples: The train split.
        batch_size: Examples in a batch.
        seed: Seed of the order.
        draw_epoch: Draws the order of an epoch, as numbers of examples; by default each example
            comes once.
        keep_rest: Whether a last incomplete batch is kept, and not left out.
        kwargs: Arguments of `keras.utils.PyDataset`.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        *,
        batch_size: int,
        seed: int,
        draw_epoch: Callable[[np.random.Generator], np.ndarray] | None = None,
        keep_rest: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.examples = examples
        self.batch_size = min(batch_size, len(examples))
        self.seed = seed
        self._draw_epoch = draw_epoch or (lambda rng: rng.permutation(len(examples)))
        self._keep_rest = keep_rest
        self.set_epoch(0)

    def make(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[Any, ...]:
        """Make a batch.

        Args:
            rows: int (B,), numbers of examples.
            rng: Where chance comes from.

        Returns:
            Inputs, targets and, if there are any, weights.
        """
        raise NotImplementedError

    def __len__(self) -> int:
        rest = self.batch_size - 1 if self._keep_rest else 0
        return (len(self.order) + rest) // self.batch_size

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.make(rows, np.random.default_rng((self.seed, self.epoch, index)))

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, counted from 0, as at its beginning."""
        self.epoch = epoch
        self.order = self._draw_epoch(np.random.default_rng((self.seed, epoch)))

    def on_epoch_end(self) -> None:
        """Go to the next epoch."""
        self.set_epoch(self.epoch + 1)


class CaptionBatches(Batches):
    """Images, each with N of its captions, for teacher forcing.

    Args:
        examples: The train split.
        vocabulary: Words and ids.
        read: Given the examples of a batch and a random generator, returns the network's input
            for their images, such as `{"features": (B, T, P, C)}`, or for clips also
            `frame_mask` (B, T).
        captions_per_image: Number of captions of an image, N.
        max_length: Tokens of a caption that are read, L.
        kwargs: Arguments of `Batches`.

    Items:
        inputs: What `read` returns, and `token_ids` int32 (B, N, L): <start> and all words but the
            last.
        targets: int32 (B, N, L): the next words, with <end> after the last.
        weights: float32 (B, N, L): 1 where there is a target.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        vocabulary: Vocabulary,
        read: Read,
        *,
        captions_per_image: int,
        max_length: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(examples, **kwargs)
        self.read = read
        self.captions_per_image = captions_per_image
        self.max_length = max_length
        self._pad_id = vocabulary.pad_id
        self._sentences = [
            [
                [vocabulary.start_id, *vocabulary.encode(words), vocabulary.end_id]
                for words in example.tokens
            ]
            for example in examples
        ]

    def make(
        self, rows: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Make a batch."""
        shape = (len(rows), self.captions_per_image, self.max_length + 1)
        token_ids = np.full(shape, self._pad_id, np.int32)
        for place, row in enumerate(rows):
            sentences = self._sentences[row]
            for number, choice in enumerate(rng.permutation(len(sentences))[: shape[1]]):
                sentence = sentences[choice][: shape[2]]
                token_ids[place, number, : len(sentence)] = sentence
        targets = token_ids[:, :, 1:]
        inputs = self.read([self.examples[row] for row in rows], rng)
        weights = (targets != self._pad_id).astype(np.float32)
        return {**inputs, "token_ids": token_ids[:, :, :-1]}, targets, weights
