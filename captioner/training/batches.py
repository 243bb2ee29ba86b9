"""Batches of examples in an order that a resumed training reproduces."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from captioner.datasets.dataset import Example
from captioner.text.vocabulary import Vocabulary

Read = Callable[[list[Example], np.random.Generator], dict[str, np.ndarray]]


class Batches(keras.utils.PyDataset):
    """Examples in a new order each epoch; a subclass makes inputs and targets of them.

    All random choices depend on (seed, epoch, batch) alone, so a resumed training gets exactly the
    batches of an uninterrupted one.

    Args:
        examples: Examples of the train split.
        batch_size: Number of examples in a batch.
        seed: Seed of the order.
        draw_epoch: Function that draws the order of an epoch, as indices of examples; by default
            each example occurs once.
        keep_rest: If True, keep an incomplete last batch; otherwise drop it.
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
            rows: Indices of examples, int (B,).
            rng: Random generator.

        Returns:
            Inputs, targets and optionally weights.
        """
        raise NotImplementedError

    def __len__(self) -> int:
        rest = self.batch_size - 1 if self._keep_rest else 0
        return (len(self.order) + rest) // self.batch_size

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.make(rows, np.random.default_rng((self.seed, self.epoch, index)))

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, counted from 0."""
        self.epoch = epoch
        self.order = self._draw_epoch(np.random.default_rng((self.seed, epoch)))

    def on_epoch_end(self) -> None:
        """Go to the next epoch."""
        self.set_epoch(self.epoch + 1)


class CaptionBatches(Batches):
    """Images, each with N of its captions, for teacher forcing.

    Args:
        examples: Examples of the train split.
        vocabulary: Vocabulary of the decoder.
        read: Function that takes the examples of a batch and a random generator and returns the
            network's input for their images, such as `{"features": (B, T, P, C)}`, for clips also
            with `frame_mask` (B, T).
        captions_per_image: Number of captions of an image, N.
        max_length: Number of tokens that are read of a caption, at most; L.
        kwargs: Arguments of `Batches`.

    Items:
        inputs: The result of `read`, and `token_ids` int32 (B, N, L): <start> and all tokens but
            the last.
        targets: int32 (B, N, L): the next tokens, with <end> after the last.
        weights: float32 (B, N, L): 1 where there is a target, otherwise 0; 0 for images that are
            `distilled`, see `DataConfig`.
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
        if "distilled" in inputs:
            weights[inputs["distilled"]] = 0
        return {**inputs, "token_ids": token_ids[:, :, :-1]}, targets, weights
