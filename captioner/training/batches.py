"""Batches of pictures and captions for teacher forcing."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from captioner.datasets.caption_dataset import CaptionExample
from captioner.text.vocabulary import Vocabulary


class CaptionBatches(keras.utils.PyDataset):
    """Pictures in a new order each epoch, each with N of its captions.

    Order and choice depend on (seed, epoch, batch) alone, so a resumed training sees exactly what
    an undisturbed one would.

    Args:
        examples: The train split.
        vocabulary: Words and ids.
        read: Given the examples of a batch and a random generator, returns the network's input
            for their pictures, such as `{"features": (B, T, P, C)}`, or for clips also
            `frame_mask` (B, T).
        batch_size: Pictures in a batch; a last incomplete batch is left out, the order being new
            in each epoch.
        captions_per_image: N.
        max_length: Words of a caption that are read, L.
        seed: Of the order.
        draw_epoch: Draws the order of an epoch, as numbers of examples; by default each example
            comes once.

    Items:
        inputs: `read`'s, and `token_ids` int32 (B, N, L): <start> and all words but the last.
        targets: int32 (B, N, L): the next words, with <end> after the last.
        weights: float32 (B, N, L): 1 where there is a target.
    """

    def __init__(
        self,
        examples: Sequence[CaptionExample],
        vocabulary: Vocabulary,
        read: Callable[[list[CaptionExample], np.random.Generator], dict[str, np.ndarray]],
        *,
        batch_size: int,
        captions_per_image: int,
        max_length: int,
        seed: int,
        draw_epoch: Callable[[np.random.Generator], np.ndarray] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.examples = examples
        self.draw_epoch = draw_epoch or (lambda rng: rng.permutation(len(examples)))
        self.read = read
        self.batch_size = min(batch_size, len(examples))
        self.captions_per_image = captions_per_image
        self.max_length = max_length
        self.seed = seed
        self._pad_id = vocabulary.pad_id
        self._sentences = [
            [
                [vocabulary.start_id, *vocabulary.encode(words), vocabulary.end_id]
                for words in example.tokens
            ]
            for example in examples
        ]
        self.set_epoch(0)

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self.seed, self.epoch, index))
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
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

    def set_epoch(self, epoch: int) -> None:
        """Goes to an epoch, counted from 0, as at its beginning."""
        self.epoch = epoch
        self.order = self.draw_epoch(np.random.default_rng((self.seed, epoch)))

    def close(self) -> None:
        """Nothing is left to end."""

    def on_epoch_end(self) -> None:
        """Called by `fit`."""
        self.set_epoch(self.epoch + 1)
