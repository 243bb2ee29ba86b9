"""Callbacks of a training: progress in an epoch; scores, best preset, log, checkpoint after it."""

import csv
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from tqdm import tqdm

from captioner.datasets.dataset import Example
from captioner.errors import CaptionerError
from captioner.replacing import replacing
from captioner.training.batches import Batches
from captioner.training.epoch_samples import samples_of, warnings_about, write_samples
from captioner.training.learning_curve import format_duration


class Scored(NamedTuple):
    """The validation split after an epoch.

    Attributes:
        scores: Scores, fractions by metric.
        captions: Captions by image id; none if the model writes none.
    """

    scores: dict[str, float]
    captions: dict[str, str]


@dataclass(frozen=True)
class Lesson:
    """A network with its training batches, its scoring and its saving.

    Attributes:
        model: Model that is trained.
        loss: Loss of the model.
        batches: Batches of training examples.
        trained: Layers whose variables a checkpoint must contain.
        score: Function that captions or labels the validation split.
        reported: Metrics that are reported after each epoch; the last one decides which epoch is
            the best.
        save: Function that writes a preset of the network with its scores to a folder.
        loss_weight: Weight of the loss beside losses that the model adds itself.
        on_policy: If True, each batch must be sampled with the current weights.
        shown: Validation images whose captions are shown after each epoch.
        perplexity: Function that returns the perplexity of the validation captions; None if it has
            no meaning.
        is_final: If True, the preset can be the result of the training; False if the stage only
            trains a part of the network for a later stage.
    """

    model: keras.Model
    loss: keras.losses.Loss
    batches: Batches
    trained: Sequence[Any]
    score: Callable[[], Scored]
    reported: tuple[str, ...]
    save: Callable[[Path, dict[str, float]], None]
    loss_weight: float = 1.0
    on_policy: bool = False
    shown: Sequence[Example] = ()
    is_final: bool = True
    perplexity: Callable[[], float] | None = None


_EVERY = 120  # seconds between lines if there is no terminal


class Progress(keras.callbacks.Callback):
    """Shows the steps of each epoch, their mean loss, and the remaining time.

    Args:
        report: Function that is called with a line of text every two minutes if standard error is
            not a terminal, so that the log of a background training shows its progress.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self, report: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._report = report
        self._clock = clock
        self._terminal = sys.stderr.isatty()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Open the progress bar of the epoch."""
        self._epoch = epoch + 1
        self._bar = tqdm(
            total=self.params["steps"], desc=f"epoch {self._epoch}", unit="step", disable=None
        )
        self._began = self._said = self._clock()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count a step."""
        now = self._clock()
        steps = self.params["steps"]
        pace = (now - self._began) / (batch + 1)
        left = pace * (steps * (self.params["epochs"] - self._epoch + 1) - batch - 1)
        loss = f"{(logs or {})['loss']:.3f}"
        self._bar.set_postfix(loss=loss, stage=f"{format_duration(left)} left", refresh=False)
        self._bar.update()
        if self._terminal or now - self._said < _EVERY or batch + 1 == steps:
            return
        self._said = now
        self._report(
            f"epoch {self._epoch}: step {batch + 1} of {steps}, loss {loss}, "
            f"{pace:.2f} s a step, about {format_duration(left)} left in this stage"
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Close the progress bar of the epoch."""
        self._bar.close()


class Validation(keras.callbacks.Callback):
    """Scores the validation split after each epoch and keeps the best weights.

    A kill does no harm at any time: the best preset is replaced before the checkpoint marks the
    epoch as done, so an interrupted epoch is simply repeated.

    Args:
        folder: Folder of the stage, for `checkpoint.safetensors`, `log.csv` and `samples.jsonl`.
        variables: Function that returns all Keras variables that a resumed training needs.
        score: Function that captions or labels the split. Warnings about its last captions are
            reported after the last epoch.
        save_best: Function that is called with the scores if they are the best so far.
        patience: Number of epochs without a better score before training stops.
        report: Function that is called with a line of text after each epoch.
        seed: Seed. PyTorch's dropout uses a generator that no variable contains; it is seeded with
            this and the epoch, so that a resumed training equals an uninterrupted one.
        reported: Scores in this line; the last one decides which epoch is the best. Ties go to the
            lower perplexity, if it is measured: with few images, CIDEr is often 0.
        perplexity: Function that returns the perplexity of the validation captions, for the log;
            None if it has no meaning.
        shown: Images whose captions are reported after each epoch.
    """

    def __init__(
        self,
        folder: Path,
        variables: Callable[[], list[Any]],
        score: Callable[[], Scored],
        save_best: Callable[[dict[str, float]], None],
        patience: int,
        report: Callable[[str], None],
        seed: int,
        reported: tuple[str, ...] = ("BLEU-4", "CIDEr"),
        shown: Sequence[Example] = (),
        perplexity: Callable[[], float] | None = None,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.shown = shown
        self.checkpoint = folder / "checkpoint.safetensors"
        self.log = folder / "log.csv"
        self.variables = variables
        self.score = score
        self.save_best = save_best
        self.patience = patience
        self.report = report
        self.seed = seed
        self.reported = reported
        self.decisive = reported[-1]
        self.perplexity = perplexity
        self.history: list[dict[str, float]] = []

    def resume(self) -> int:
        """Load the last checkpoint, if there is one; return the number of finished epochs."""
        if self.checkpoint.exists():
            self.history = load_checkpoint(self.checkpoint, self.variables())["history"]
        return len(self.history)

    @property
    def finished(self) -> bool:
        """True if the last `patience` epochs were not better than earlier ones."""
        ranks = [self._rank(row) for row in self.history]
        return bool(ranks) and len(ranks) - 1 - ranks.index(max(ranks)) >= self.patience

    def _rank(self, row: dict[str, float]) -> tuple[float, float]:
        return row[self.decisive], -row.get("perplexity", float("inf"))

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock, and seed the random generators for the epoch."""
        keras.utils.set_random_seed(self.seed + epoch)
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        trained = time.monotonic()
        scores, captions = self.score()
        row = {
            "epoch": epoch + 1,
            "loss": float((logs or {})["loss"]),
            **({} if self.perplexity is None else {"perplexity": self.perplexity()}),
            **scores,
            "train_seconds": round(trained - self._began, 1),
            "validation_seconds": round(time.monotonic() - trained, 1),
        }
        is_best = all(self._rank(row) > self._rank(earlier) for earlier in self.history)
        if is_best:
            self.save_best(scores)
        self.history.append(row)
        samples = samples_of(self.shown, captions, epoch + 1)
        write_samples(self.folder, samples)
        save_checkpoint(self.checkpoint, self.variables(), {"history": self.history})
        self._write_log()
        self.report(
            f"epoch {epoch + 1}: loss {row['loss']:.3f}, val "
            + (f"perplexity {row['perplexity']:.1f}, " if "perplexity" in row else "")
            + ", ".join(f"{name} {100 * row[name]:.1f}" for name in self.reported)
            + f"{' (best)' if is_best else ''}, "
            f"{row['train_seconds']:.0f} + {row['validation_seconds']:.0f} s"
            f"{self._time_left()}"
        )
        for sample in samples:
            self.report(f"  {Path(sample.path).name}: {sample.caption}")
        if self.finished or epoch + 1 == self.params["epochs"]:
            for line in warnings_about(captions):
                self.report(line)
            self.model.stop_training = self.finished

    def _time_left(self) -> str:
        """Report how long the remaining epochs will take if training does not stop early."""
        epochs = (self.params or {}).get("epochs", 0) - len(self.history)
        if epochs <= 0 or self.finished:
            return ""
        took = [row["train_seconds"] + row["validation_seconds"] for row in self.history]
        return f", {format_duration(epochs * sum(took) / len(took))} left in this stage at most"

    def _write_log(self) -> None:
        text = io.StringIO()
        # Rows from an earlier version may lack values that this version measures.
        columns = dict.fromkeys(name for row in reversed(self.history) for name in row)
        writer = csv.DictWriter(text, list(columns))
        writer.writeheader()
        writer.writerows(self.history)
        with replacing(self.log) as partial:
            partial.write_text(text.getvalue(), encoding="utf-8")


def save_checkpoint(path: Path, variables: Sequence[Any], progress: dict[str, Any]) -> None:
    """Write variables and progress as one file, atomically.

    Args:
        path: A .safetensors file.
        variables: Keras variables: weights, optimizer state, states of random generators.
        progress: Progress as JSON values: the epoch, the scores so far.
    """
    # Keys are numbers, since Keras' variable names depend on what was built before in the process.
    arrays = {
        str(number): np.asarray(ops.convert_to_numpy(variable.value), order="C")
        for number, variable in enumerate(variables)
    }
    with replacing(path) as partial:
        try:
            save_file(arrays, partial, metadata={"progress": json.dumps(progress)})
        except SafetensorError as error:  # it hides the OSError of a full disk
            raise OSError(str(error)) from error


def load_checkpoint(path: Path, variables: Sequence[Any]) -> dict[str, Any]:
    """Assign the variables and return the progress.

    Raises:
        CaptionerError: If the checkpoint is broken, or belongs to another network or optimizer.
    """
    mend = "the config may have changed since; delete the run's folder to train again"
    try:
        with safe_open(path, framework="numpy") as file:
            keys = [str(number) for number in range(len(variables))]
            if set(keys) != set(file.keys()):
                raise CaptionerError(f"{path} is a checkpoint of another network: {mend}")
            for key, variable in zip(keys, variables, strict=True):
                variable.assign(file.get_tensor(key))
            progress: dict[str, Any] = json.loads(file.metadata()["progress"])
            return progress
    except (SafetensorError, ValueError) as error:
        raise CaptionerError(f"{path} cannot be loaded ({error}): {mend}") from error
