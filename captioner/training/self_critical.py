"""Batches of the model's own captions, weighted by how much better they are than its others."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from captioner.datasets.caption_dataset import CaptionExample
from captioner.text.vocabulary import Vocabulary
from captioner.training.caption_sampler import CaptionSampler
from captioner.training.lockstep import Lockstep
from captioner.training.reward import CaptionReward


class SelfCriticalBatches(keras.utils.PyDataset):
    """Policy gradient as a data set: cross entropy on sampled captions, weighted by advantage.

    The gradient of `-advantage * log p(caption)` is that of REINFORCE, so `fit` with sample
    weights trains it on any backend. The advantage of a caption is its reward minus the mean
    reward of the other samples of the same picture (Luo 2020, https://arxiv.org/abs/2003.09971),
    which needs no greedy search as that of Rennie et al. 2017.

    A batch must be sampled with the weights that it then changes, so `fit` must be given
    `lockstep`; `close` ends its waiting where a training breaks off.

    Args:
        examples: The train split.
        vocabulary: Words and ids.
        read: As for `CaptionBatches`; must give `features`, and may give `frame_mask`.
        sampler: Draws N captions a picture.
        reward: Of a caption.
        batch_size: Pictures in a batch; a last incomplete one is left out.
        seed: Of order and samples.
        draw_epoch: As for `CaptionBatches`.

    Attributes:
        lockstep: A callback, see `Lockstep`.

    Items:
        inputs: `read`'s, and `token_ids` int32 (B, N, L): <start> and all words but the last.
        targets: int32 (B, N, L).
        weights: float32 (B, N, L): the advantage, over the mean number of words a place holds, so
            that the mean over places is one over words; 0 after the end.
    """

    def __init__(
        self,
        examples: Sequence[CaptionExample],
        vocabulary: Vocabulary,
        read: Callable[[list[CaptionExample], np.random.Generator], dict[str, np.ndarray]],
        sampler: CaptionSampler,
        reward: CaptionReward,
        *,
        batch_size: int,
        seed: int,
        draw_epoch: Callable[[np.random.Generator], np.ndarray] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.examples = examples
        self.draw_epoch = draw_epoch or (lambda rng: rng.permutation(len(examples)))
        self.batch_size = min(batch_size, len(examples))
        self.seed = seed
        self.lockstep = Lockstep(
            before_step=sampler.hold_weights, after_training=sampler.release_weights
        )
        self._read = read
        self._sampler = sampler
        self._reward = reward
        self._vocabulary = vocabulary
        self.set_epoch(0)

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        self.lockstep.wait_for(index)
        seed = np.random.SeedSequence((self.seed, self.epoch, index))
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        examples = [self.examples[row] for row in rows]
        inputs = self._read(examples, np.random.default_rng(seed))
        targets = self._sampler.sample(
            inputs["features"], int(seed.generate_state(1)[0]), inputs.get("frame_mask")
        )
        weights = self._weigh(examples, targets)
        start = np.full((*targets.shape[:2], 1), self._vocabulary.start_id, np.int32)
        token_ids = np.concatenate([start, targets[:, :, :-1]], axis=2)
        return {**inputs, "token_ids": token_ids}, targets, weights

    def set_epoch(self, epoch: int) -> None:
        """Goes to an epoch, counted from 0, as at its beginning."""
        self.epoch = epoch
        self.order = self.draw_epoch(np.random.default_rng((self.seed, epoch)))

    def on_epoch_end(self) -> None:
        """Called by `fit`."""
        self.set_epoch(self.epoch + 1)

    def _weigh(self, examples: Sequence[CaptionExample], targets: np.ndarray) -> np.ndarray:
        batch, samples, _ = targets.shape
        flat = targets.reshape(batch * samples, -1)
        rewards = self._reward.score(
            [example.image_id for example in examples for _ in range(samples)],
            [self._vocabulary.decode(ids) for ids in flat],
            (flat == self._vocabulary.end_id).any(axis=1).tolist(),
        ).reshape(batch, samples)
        others = (rewards.sum(axis=1, keepdims=True) - rewards) / (samples - 1)
        mask = targets != self._vocabulary.pad_id  # (B, N, L)
        return ((rewards - others)[:, :, np.newaxis] * mask / mask.mean()).astype(np.float32)

    def close(self) -> None:
        """Lets a reader that waits go on."""
        self.lockstep.close()
