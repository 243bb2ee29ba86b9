"""What one stage of a training consists of, whatever its task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from captioner.training.batches import Batches


@dataclass(frozen=True)
class Lesson:
    """A network, what it is trained on, and how it is scored and saved.

    Attributes:
        model: What is trained.
        loss: Loss of the model.
        batches: Training examples.
        trained: Layers whose variables a checkpoint must hold.
        score: Returns scores of the validation split, fractions by metric.
        reported: Metrics that a line of text gives after each epoch; the last one decides which
            epoch is the best.
        save: Writes a preset of the network with its scores to a folder.
        loss_weight: Weight of the loss beside losses that the model adds itself.
        on_policy: Whether each batch must be made with the weights that it then changes.
        is_final: Whether the preset can be the result of the training; not where it only trains
            a part for a later stage.
    """

    model: keras.Model
    loss: keras.losses.Loss
    batches: Batches
    trained: Sequence[Any]
    score: Callable[[], dict[str, float]]
    reported: tuple[str, ...]
    save: Callable[[Path, dict[str, float]], None]
    loss_weight: float = 1.0
    on_policy: bool = False
    is_final: bool = True
