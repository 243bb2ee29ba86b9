"""Learning curves of a training from its run folder: scores and captions, epoch by epoch."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from captioner.errors import CaptionerError
from captioner.training.epoch_samples import Sample, read_samples

_DECISIVE = ("CIDEr", "likelihood", "mAP")  # each task has one of these, which picks the best epoch
_SHOWN = ("BLEU-4", "CIDEr", "accuracy", "likelihood", "mAP")
_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDEST = 60  # blocks of a sparkline, at most


@dataclass(frozen=True)
class LearningCurve:
    """One stage of a training.

    Attributes:
        name: Name of the stage; "" if the training has only one.
        rows: Values of each epoch by their names in the log; scores are fractions.
        planned: Number of epochs, at most; None if the folder does not contain it.
        samples: Captions of a few images after each epoch, in the order of the epochs.
    """

    name: str
    rows: tuple[dict[str, float], ...]
    planned: int | None = None
    samples: tuple[Sample, ...] = ()

    @property
    def decisive(self) -> str:
        """Name of the score that decides which epoch is the best."""
        return next(name for name in _DECISIVE if name in self.rows[0])

    @property
    def best(self) -> int:
        """Number of the best epoch, from 1."""
        scores = [row[self.decisive] for row in self.rows]
        return scores.index(max(scores)) + 1

    @property
    def shown(self) -> list[str]:
        """Names of the main scores; for a mixture, also those of each data set."""
        return [name for name in self.rows[0] if name.split(" ")[0] in _SHOWN]

    def values(self, name: str) -> list[float]:
        """Return the values of each epoch; scores x 100."""
        factor = 1 if name == "loss" else 100
        return [factor * row[name] for row in self.rows]


def read_curves(run: str | Path) -> list[LearningCurve]:
    """Read the stages of a training, in the order in which they ended.

    Args:
        run: Folder of the training, or of one of its stages. It may still be running.

    Raises:
        CaptionerError: If no epoch is over yet, or a log is damaged.
    """
    run = Path(run)
    logs = [run / "log.csv"] if (run / "log.csv").exists() else list(run.glob("*/log.csv"))
    logs.sort(key=lambda log: log.stat().st_mtime)
    curves = [_read_stage(log, "" if log.parent == run else log.parent.name) for log in logs]
    if not curves:
        raise CaptionerError(
            f"{run} has no log.csv: give the folder of a training (--run of `captioner train`) "
            "that has finished at least one epoch"
        )
    return curves


def _read_stage(log: Path, name: str) -> LearningCurve:
    try:
        with log.open(encoding="utf-8", newline="") as file:
            rows = [
                {key: float(value) for key, value in row.items()} for row in csv.DictReader(file)
            ]
        options = log.with_name("options.json")
        begun = json.loads(options.read_text(encoding="utf-8")) if options.exists() else {}
        planned = begun.get("stage", begun).get("epochs")
        curve = LearningCurve(name, tuple(rows), planned, tuple(read_samples(log.parent)))
        assert curve.decisive and all(row.keys() == rows[0].keys() for row in rows)
    except (OSError, ValueError, TypeError, AttributeError, IndexError, StopIteration) as error:
        raise CaptionerError(f"{log} is not the log of a training: restore it") from error
    return curve


def curve_text(curve: LearningCurve) -> str:
    """Format a stage for a terminal: a line for each score, and the captions of each image.

    Example:
        >>> rows = [{"loss": 4.0 - n, "CIDEr": n / 4, "train_seconds": 60.0} for n in (1, 2, 3)]
        >>> print(curve_text(LearningCurve("frozen", tuple(rows), planned=5)))
        frozen: 3 of 5 epochs, 3 min; the best is epoch 3
          loss     3.000 █▅▁ 1.000
          CIDEr     25.0 ▁▅█ 75.0
    """
    took = sum(row.get("train_seconds", 0) + row.get("validation_seconds", 0) for row in curve.rows)
    planned = "" if curve.planned is None else f" of {curve.planned}"
    name = f"{curve.name}: " if curve.name else ""
    epochs = f"{len(curve.rows)}{planned} epochs, {format_duration(took)}"
    lines = [f"{name}{epochs}; the best is epoch {curve.best}"]
    width = max(map(len, ("loss", *curve.shown)))
    for name in ("loss", *curve.shown):
        values = curve.values(name)
        first, last = (
            f"{v:.3f}" if name == "loss" else f"{v:.1f}" for v in (values[0], values[-1])
        )
        lines.append(f"  {name:{width}} {first:>8} {sparkline(values)} {last}")
    for path, samples in samples_by_image(curve.samples).items():
        lines.append(f"  {Path(path).name}")
        lines += [f"    epoch {each.epoch}: {each.caption}" for each in samples]
        lines.append(f"    people: {samples[0].people}")
    return "\n".join(lines)


def sparkline(values: Sequence[float]) -> str:
    """Draw values as a line of blocks; long series are thinned evenly.

    Example:
        >>> sparkline([0, 1, 2, 3.5, 7, 7])
        '▁▂▃▅██'
    """
    kept = values[:: -(-len(values) // _WIDEST)]
    low, span = min(kept), max(kept) - min(kept)
    scale = (len(_BLOCKS) - 1) / span if span else 0.0
    # Plus a half, since int() rounds a positive number down.
    return "".join(_BLOCKS[int((value - low) * scale + 0.5)] for value in kept)


def samples_by_image(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """Return the samples of each image by its path, only those whose caption changed.

    Example:
        >>> said = [Sample(n, "a.jpg", text, "A dog.") for n, text in enumerate(("a", "a", "b"), 1)]
        >>> [sample.epoch for sample in samples_by_image(said)["a.jpg"]]
        [1, 3]
    """
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        own = found.setdefault(sample.path, [])
        if not own or own[-1].caption != sample.caption:
            own.append(sample)
    return found


def format_duration(seconds: float) -> str:
    """Format a duration, rounded to minutes if it is longer than two.

    Example:
        >>> [format_duration(seconds) for seconds in (40, 700, 11_000)]
        ['40 s', '12 min', '3 h 3 min']
    """
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
