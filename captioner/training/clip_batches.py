"""Batches of the features of clips, with the augmentation that stored features allow."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from captioner.datasets.clip_dataset import ClipExample
from captioner.datasets.clip_features import ClipFeatures
from captioner.training.activity_config import ActivityConfig


class ClipBatches(keras.utils.PyDataset):
    """Clips in a new order each epoch.

    Order and augmentation depend on (seed, epoch, batch) alone, so a resumed training sees exactly
    what an undisturbed one would.

    Args:
        examples: The train split.
        store: Features of each.
        labels: The labels, in the order of the network's classes.
        config: Batch size, augmentation and seed.

    Items:
        inputs: `frames` float16 (B, T, H, W, C) and `frame_mask` bool (B, T).
        targets: float32 (B, K), one-hot, or mixed.
    """

    def __init__(
        self,
        examples: Sequence[ClipExample],
        store: ClipFeatures,
        labels: Sequence[str],
        config: ActivityConfig,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.examples = examples
        self.store = store
        self.labels = labels
        self.config = config
        self.set_epoch(0)

    def __len__(self) -> int:
        return -(-len(self.examples) // self.config.batch_size)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        rng = np.random.default_rng((self.config.seed, self.epoch, index))
        size = self.config.batch_size
        chosen = [self.examples[row] for row in self.order[index * size : (index + 1) * size]]
        clips = [augment_clip(self.store[example.clip_id], rng, self.config) for example in chosen]
        inputs = stack_clips(clips, self.config.frames)
        targets = np.eye(len(self.labels), dtype=np.float32)[
            [self.labels.index(example.label) for example in chosen]
        ]  # (B, K)
        if self.config.mixup:
            return mix(inputs, targets, rng, self.config.mixup)
        return inputs, targets

    def set_epoch(self, epoch: int) -> None:
        """Goes to an epoch, counted from 0, as at its beginning."""
        self.epoch = epoch
        rng = np.random.default_rng((self.config.seed, epoch))
        self.order = rng.permutation(len(self.examples))

    def on_epoch_end(self) -> None:
        """Called by `fit`."""
        self.set_epoch(self.epoch + 1)


def stack_clips(clips: Sequence[np.ndarray], frames: int) -> dict[str, np.ndarray]:
    """Clips (T, H, W, C) of different lengths as one batch, padded to `frames`, with its mask."""
    stacked = np.zeros((len(clips), frames, *clips[0].shape[1:]), clips[0].dtype)
    mask = np.zeros((len(clips), frames), bool)
    for row, clip in enumerate(clips):
        stacked[row, : len(clip)] = clip
        mask[row, : len(clip)] = True
    return {"frames": stacked, "frame_mask": mask}


def augment_clip(clip: np.ndarray, rng: np.random.Generator, config: ActivityConfig) -> np.ndarray:
    """Leaves frames out, and shifts and mirrors the grid, all frames of a clip alike.

    Args:
        clip: Features (T, H, W, C).
        rng: Where chance comes from.
        config: `drop_frames`, `shift`, `flip`.

    Returns:
        Features (T', H, W, C), two frames at least, if there were.
    """
    least = max(2, round(len(clip) * (1 - config.drop_frames)))
    if least < len(clip):
        kept = rng.integers(least, len(clip) + 1)
        clip = clip[np.sort(rng.permutation(len(clip))[:kept])]
    if config.shift:
        # What comes in at an edge repeats that edge.
        places = [np.arange(side) + rng.integers(-config.shift, config.shift + 1)
                  for side in clip.shape[1:3]]  # fmt: skip
        rows, columns = (np.clip(p, 0, len(p) - 1) for p in places)
        clip = clip[:, rows][:, :, columns]
    if config.flip and rng.random() < 0.5:
        clip = clip[:, :, ::-1]
    return clip


def mix(
    inputs: dict[str, np.ndarray], targets: np.ndarray, rng: np.random.Generator, parameter: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Mixes each clip with another of the batch; the shorter one ends the mixture."""
    share = rng.beta(parameter, parameter)
    other = rng.permutation(len(targets))
    frames, mask = inputs["frames"], inputs["frame_mask"]
    mixed = {
        "frames": (share * frames + (1 - share) * frames[other]).astype(frames.dtype),
        "frame_mask": mask & mask[other],
    }
    return mixed, (share * targets + (1 - share) * targets[other]).astype(np.float32)
