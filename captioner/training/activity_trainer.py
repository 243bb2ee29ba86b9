"""Training of a recognizer of activities, by a config."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from captioner.datasets.clip_dataset import ClipExample
from captioner.datasets.clip_features import ClipFeatures, prepare_clip_features
from captioner.datasets.clip_readers import read_clip_dataset
from captioner.engines.keras import JIT_COMPILE
from captioner.engines.precision import compute_policy
from captioner.presets.activity import (
    ActivityPreset,
    read_activity_preset,
    write_activity_preset,
)
from captioner.presets.activity_network import (
    ActivityNetwork,
    assign_activity_weights,
    build_activity_network,
    capture_activity_weights,
    named_weights,
)
from captioner.training.activity_card import write_activity_card
from captioner.training.activity_config import ActivityConfig
from captioner.training.clip_batches import ClipBatches, stack_clips
from captioner.training.optimizer import TwoRateAdam, WarmUpCosine
from captioner.training.progress import Progress
from captioner.training.stage_options import activity_options, hold_options
from captioner.training.validation import Validation
from captioner.vision.activity_recognizer import ActivityRecognizer

_BATCH = 32


class ActivityTrainer:
    """Trains by a config; goes on where a killed run stopped.

    VGG16's frozen blocks see each frame once, whatever the number of epochs: their features are
    kept on disk.

    Args:
        config: As `read_activity_config` gives it.
        report: Called with a line of text now and then.

    Raises:
        CaptionerError: If the data set or the weights cannot be read.

    Example:
        >>> from captioner.training.activity_config import read_activity_config
        >>> config = read_activity_config("activity_lstm")
        >>> ActivityTrainer(config).train()  # doctest: +SKIP
        PosixPath('runs/activity_lstm/best')
    """

    def __init__(self, config: ActivityConfig, report: Callable[[str], None] = print) -> None:
        self.config = config
        self.report = report
        self.dataset = read_clip_dataset(config.dataset, config.split_seed)

    def train(self) -> Path:
        """Returns the folder of the best preset."""
        config = self.config
        folder = Path(config.run)
        folder.mkdir(parents=True, exist_ok=True)
        hold_options(folder, activity_options(config, self.dataset))
        keras.utils.set_random_seed(config.seed)
        network = build_activity_network(
            encoder=config.encoder,
            trainable_from=config.trainable_from,
            side=config.side,
            frames=config.frames,
            head=config.head,
            classes=len(self.dataset.labels),
            policy=compute_policy(config.precision),
        )
        if config.start is not None:
            weights = read_activity_preset(config.start).weights
            assign_activity_weights(
                named_weights(ActivityRecognizer(network.recognizer.head)),
                {name: array for name, array in weights.items() if name.startswith("head/")},
            )
        store = prepare_clip_features(
            self.dataset, network.frozen, config.features, **config.reading
        )
        recognizer = network.recognizer
        batches = ClipBatches(self._of(store, "train"), store, self.dataset.labels, config)
        optimizer = _build_optimizer(config, steps=config.epochs * len(batches))
        recognizer.compile(
            optimizer,
            keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
            jit_compile=JIT_COMPILE,
        )
        optimizer.build(recognizer.trainable_variables)

        def save_best(scores: dict[str, float]) -> None:
            self._save_preset(folder / "best", network, scores)

        validation = Validation(
            folder,
            variables=lambda: [*_variables(recognizer), *optimizer.variables],
            score=lambda: self._score(recognizer, store),
            save_best=save_best,
            patience=config.patience,
            report=self.report,
            seed=config.seed,
            reported=("accuracy", "likelihood"),
        )
        done = validation.resume()
        if done < config.epochs and not validation.finished:
            batches.set_epoch(done)
            recognizer.fit(
                batches,
                initial_epoch=done,
                epochs=config.epochs,
                shuffle=False,  # ClipBatches does, and does so again after a kill
                verbose=0,
                callbacks=[Progress(report=self.report), validation],
            )
        return folder / "best"

    def _of(self, store: ClipFeatures, split: str) -> list[ClipExample]:
        return [example for example in self.dataset.split(split) if example.clip_id in store]

    def _score(self, recognizer: ActivityRecognizer, store: ClipFeatures) -> dict[str, float]:
        examples = self._of(store, "val")
        found = predict_stored(recognizer, store, examples, self.config.frames)
        truth = np.array([self.dataset.labels.index(example.label) for example in examples])
        of_truth = found[np.arange(len(truth)), truth]
        return {
            "accuracy": float((found.argmax(-1) == truth).mean()),
            # The geometric mean of the probabilities of the right labels: of few clips, it tells
            # epochs apart that have the same accuracy.
            "likelihood": float(np.exp(np.log(of_truth + 1e-7).mean())),
        }

    def _save_preset(
        self, folder: Path, network: ActivityNetwork, scores: dict[str, float]
    ) -> None:
        config = self.config
        described = {
            "labels": list(self.dataset.labels),
            "encoder": {**config.encoder, "fingerprint": network.frozen.fingerprint()},
            "trainable_from": config.trainable_from,
            "side": config.side,
            "reading": config.reading,
            "head": config.head,
            "split_seed": config.split_seed,
        }
        card = write_activity_card(config, self.dataset, scores)
        weights = capture_activity_weights(network.recognizer)
        write_activity_preset(folder, ActivityPreset(described, weights, card), overwrite=True)


def predict_stored(
    recognizer: ActivityRecognizer,
    store: ClipFeatures,
    examples: Sequence[ClipExample],
    frames: int,
) -> np.ndarray:
    """Probabilities (N, K) of the labels of clips whose features are stored."""
    found = []
    for start in range(0, len(examples), _BATCH):
        clips = [store[example.clip_id] for example in examples[start : start + _BATCH]]
        found.append(recognizer.predict_on_batch(stack_clips(clips, frames)))
    return np.concatenate(found)


def _variables(recognizer: ActivityRecognizer) -> list[keras.Variable]:
    blocks = [] if recognizer.encoder is None else recognizer.encoder.variables
    return [*recognizer.head.variables, *blocks]


def _build_optimizer(config: ActivityConfig, steps: int) -> TwoRateAdam:
    return TwoRateAdam(
        WarmUpCosine(config.learning_rate, steps, config.warmup_steps),
        encoder_scale=config.encoder_learning_rate / config.learning_rate,
        weight_decay=config.weight_decay or None,
        global_clipnorm=1.0,
    )
