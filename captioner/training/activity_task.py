"""Training of a model that labels clips: its batches, augmentation, scores and preset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from captioner.datasets.dataset import Example
from captioner.datasets.readers import read_dataset
from captioner.datasets.store import FeatureStore, prepare_features
from captioner.engines.runtime import compute_policy
from captioner.models.activity import ActivityRecognizer
from captioner.models.clip_features import pad_clips
from captioner.presets.network import (
    ActivityNetwork,
    assign_head_weights,
    build_activity_network,
    build_vgg16,
    capture_activity_weights,
)
from captioner.presets.storage import Preset, bundled_presets, read_preset, write_preset
from captioner.results import ACTIVITY
from captioner.text.vocabulary import Vocabulary
from captioner.training.batches import Batches
from captioner.training.card import describe_training, write_card
from captioner.training.config import ActivityConfig, StageConfig
from captioner.training.data_summary import split_sizes
from captioner.training.stage_options import activity_options
from captioner.training.validation import Lesson, Scored

_BATCH = 32


class ActivityTask:
    """Trains a network that labels clips.

    VGG16's frozen blocks process each frame only once, however many epochs there are: their
    features are stored on disk.

    Args:
        config: Config of the training.

    Raises:
        CaptionerError: If the data set cannot be read.
    """

    def __init__(self, config: ActivityConfig) -> None:
        self.config = config
        self.dataset = read_dataset(config.dataset, task=ACTIVITY, seed=config.split_seed)

    def options(self, stage: StageConfig, start: Path | None) -> dict[str, Any]:
        """Return all options that affect the result of the training."""
        return activity_options(self.config, self.dataset)

    def summary(self) -> list[str]:
        """Return lines that describe the training data."""
        return [f"{split_sizes(self.dataset)} clips of {len(self.dataset.labels)} labels"]

    def prepare(self, stage: StageConfig, start: Path | None, features: Path) -> Lesson:
        """Build the network, its training batches and its scoring; see `Trainer`."""
        config = self.config
        policy = compute_policy(config.precision)
        network = build_activity_network(
            build_vgg16(config.encoder, config.trainable_from, policy),
            side=config.side,
            frames=config.frames,
            head=config.head,
            classes=len(self.dataset.labels),
        )
        recognizer = network.recognizer
        if start is not None:
            assign_head_weights(recognizer, read_preset(start, ACTIVITY))
        store = prepare_features(self.dataset, network.frozen, features, reading=config.reading)
        blocks = [] if recognizer.encoder is None else [recognizer.encoder]
        return Lesson(
            model=recognizer,
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
            batches=ClipBatches(self._of(store, "train"), store, self.dataset.labels, config),
            trained=[recognizer.head, *blocks],
            score=lambda: self._score(recognizer, store),
            reported=("accuracy", "likelihood"),
            save=lambda folder, scores: self._save(
                folder, network, describe_training(self.options(stage, start), "", scores)
            ),
        )

    def _of(self, store: FeatureStore, split: str) -> list[Example]:
        return [example for example in self.dataset.split(split) if example.id in store]

    def _score(self, recognizer: ActivityRecognizer, store: FeatureStore) -> Scored:
        examples = self._of(store, "val")
        found = predict_stored(recognizer, store, examples, self.config.frames)
        truth = np.array([self.dataset.labels.index(str(example.label)) for example in examples])
        of_truth = found[np.arange(len(truth)), truth]
        scores = {
            "accuracy": float((found.argmax(-1) == truth).mean()),
            # The geometric mean of the probabilities of the right labels: with few clips, it can
            # rank epochs that have the same accuracy.
            "likelihood": float(np.exp(np.log(of_truth + 1e-7).mean())),
        }
        return Scored(scores, {})

    def _save(self, folder: Path, network: ActivityNetwork, training: dict[str, Any]) -> None:
        config = self.config
        # Every installation has the bundled presets; the weights of any other VGG16 must be saved.
        refers = config.encoder.get("preset") in bundled_presets()
        described = {
            "task": ACTIVITY,
            "labels": list(self.dataset.labels),
            "encoder": {
                **{k: v for k, v in config.encoder.items() if refers or k == "filters"},
                "fingerprint": network.frozen.fingerprint(),
            },
            "trainable_from": config.trainable_from,
            "side": config.side,
            "reading": config.reading,
            "head": config.head,
            "split_seed": config.split_seed,
            "training": training,
        }
        card = write_card(config, self.dataset, training["validation"])
        weights = capture_activity_weights(network, whole=not refers)
        write_preset(folder, Preset(described, Vocabulary({}), weights, card), overwrite=True)


class ClipBatches(Batches):
    """Stored features of clips with their labels.

    Args:
        examples: Examples of the train split.
        store: Features of each example.
        labels: Labels in the order of the network's classes.
        config: Batch size, augmentation and seed.

    Items:
        inputs: `frames` float16 (B, T, H, W, C) and `frame_mask` bool (B, T).
        targets: float32 (B, K), one-hot or mixed.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        store: FeatureStore,
        labels: Sequence[str],
        config: ActivityConfig,
    ) -> None:
        super().__init__(examples, batch_size=config.batch_size, seed=config.seed, keep_rest=True)
        self._store = store
        self._labels = labels
        self._config = config

    def make(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[Any, ...]:
        """Make a batch."""
        chosen = [self.examples[row] for row in rows]
        clips = [augment_clip(self._store[e.id], rng, self._config) for e in chosen]
        frames, mask = pad_clips(clips, self._config.frames)
        inputs = {"frames": frames, "frame_mask": mask}
        targets = np.eye(len(self._labels), dtype=np.float32)[
            [self._labels.index(str(example.label)) for example in chosen]
        ]  # (B, K)
        if self._config.mixup:
            return mix(inputs, targets, rng, self._config.mixup)
        return inputs, targets


def predict_stored(
    recognizer: ActivityRecognizer, store: FeatureStore, examples: Sequence[Example], frames: int
) -> np.ndarray:
    """Predict the label probabilities (N, K) of clips from their stored features."""
    found = []
    for start in range(0, len(examples), _BATCH):
        clips = [store[example.id] for example in examples[start : start + _BATCH]]
        stacked, mask = pad_clips(clips, frames)
        found.append(recognizer.predict_on_batch({"frames": stacked, "frame_mask": mask}))
    return np.concatenate(found)


def augment_clip(clip: np.ndarray, rng: np.random.Generator, config: ActivityConfig) -> np.ndarray:
    """Drop random frames of a clip, and shift and mirror the grids of all its frames alike.

    Args:
        clip: Features (T, H, W, C).
        rng: Random generator.
        config: Options `drop_frames`, `shift` and `flip`.

    Returns:
        Features (T', H, W, C), with at least two frames if the clip has them.
    """
    least = max(2, round(len(clip) * (1 - config.drop_frames)))
    if least < len(clip):
        kept = rng.integers(least, len(clip) + 1)
        clip = clip[np.sort(rng.permutation(len(clip))[:kept])]
    if config.shift:
        # New cells at an edge repeat that edge.
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
    """Mix each clip with another one of the batch; a mixture is as long as the shorter clip."""
    share = rng.beta(parameter, parameter)
    other = rng.permutation(len(targets))
    frames, mask = inputs["frames"], inputs["frame_mask"]
    mixed = {
        "frames": (share * frames + (1 - share) * frames[other]).astype(frames.dtype),
        "frame_mask": mask & mask[other],
    }
    return mixed, (share * targets + (1 - share) * targets[other]).astype(np.float32)
