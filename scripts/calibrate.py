#!/usr/bin/env python
"""Calibrate the confidence of a preset, or measure its calibration.

    python scripts/calibrate.py runs/mine/best --dataset data/flickr8k --dataset data/coco --fit
    python scripts/calibrate.py PRESET --dataset data/flickr8k --split test --plot reliability.png

--fit fits the curve to all validation splits and writes it into the preset's folder. With or
without it, the script prints the share of content words that people confirmed, for captions in ten
groups by confidence; and for each data set the area under the ROC curve of the confidence as a test
of whether at least half of a caption's content words are confirmed.
"""

import math
from dataclasses import asdict, replace
from pathlib import Path

import click
import numpy as np

from captioner.captioner import Captioner
from captioner.cli.endings import plain_errors
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.evaluation.confirmation import auroc, confirmed_share
from captioner.evaluation.score_table import aligned
from captioner.presets.storage import preset_folder, read_preset, write_preset
from captioner.search.confidence import Calibration
from captioner.text.subwords import Subwords

_GROUPS = 10


@click.command()
@click.argument("preset")
@click.option(
    "--dataset",
    "datasets",
    required=True,
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Images or clips with captions. Repeatable.",
)
@click.option("--split", default="val", show_default=True)
@click.option("--fit", is_flag=True, help="Fit the curve and write it into the preset.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the groups.")
def main(preset: str, datasets: tuple[Path, ...], split: str, fit: bool, plot: Path | None) -> None:
    """Measure, and with --fit calibrate, the confidence of PRESET, a bundled name or a folder."""
    with plain_errors():
        folder = preset_folder(preset)
        trained = read_preset(folder)
        if isinstance(trained.vocabulary, Subwords):
            raise CaptionerError(
                f"{folder} writes subwords of any language, but confidence is the share of English "
                "content words that people confirm: give a preset with whole words"
            )
        captioner = Captioner(trained)
        measured = [_measure(captioner, dataset, split) for dataset in datasets]
        log_probs, words, shares = np.concatenate(measured, axis=1)
        if fit:
            curve = Calibration.fit(log_probs, words, shares)
            write_preset(
                folder,
                replace(trained, config={**trained.config, "confidence": asdict(curve)}),
                overwrite=True,
            )
        elif "confidence" in trained.config:
            curve = Calibration(**trained.config["confidence"])
        else:
            raise CaptionerError(f"{folder} has no confidence yet: calibrate it with --fit")
        given = _confidences(curve, log_probs, words)
        groups = np.array_split(np.argsort(given), _GROUPS)
        expected = [float(given[group].mean()) for group in groups]
        confirmed = [float(shares[group].mean()) for group in groups]
        rows = [(f"{e:.2f}", f"{c:.2f}") for e, c in zip(expected, confirmed, strict=True)]
        click.echo(aligned(("mean confidence", "confirmed"), rows))
        error = np.mean(np.abs(np.subtract(expected, confirmed)))
        correlation = np.corrcoef(given, shares)[0, 1]
        click.echo(f"\ncalibration error {error:.3f}, correlation {correlation:.2f}\n")
        click.echo(_by_dataset(curve, datasets, measured))
        if plot:
            _draw(expected, confirmed, plot)


def _measure(captioner: Captioner, dataset: Path, split: str) -> np.ndarray:
    """Return log-probabilities, numbers of words and confirmed shares of captions, (3, N)."""
    rows = []
    examples = read_dataset(dataset).split(split)
    captions = captioner.stream(
        [example.path for example in examples], every=math.inf, batch_size=32
    )
    for example, caption in zip(examples, captions, strict=True):
        if isinstance(caption, CaptionerError):
            click.echo(str(caption), err=True)
            continue
        share = confirmed_share(caption.words, example.tokens)
        rows.append((caption.log_prob, len(caption.words), share))
    if not rows:
        raise CaptionerError(f"{dataset}: no image of the split {split} could be read")
    return np.array(rows).T


def _confidences(curve: Calibration, log_probs: np.ndarray, words: np.ndarray) -> np.ndarray:
    pairs = zip(log_probs.tolist(), words.astype(int).tolist(), strict=True)
    return np.array([curve.confidence(*pair) for pair in pairs])


def _by_dataset(curve: Calibration, datasets: tuple[Path, ...], measured: list[np.ndarray]) -> str:
    rows = []
    for dataset, (log_probs, words, shares) in zip(datasets, measured, strict=True):
        given = _confidences(curve, log_probs, words)
        area = auroc(given, shares >= 0.5)
        rows.append(
            (
                dataset.name,
                str(len(given)),
                f"{given.mean():.2f}",
                f"{shares.mean():.2f}",
                "-" if area is None else f"{area:.3f}",
            )
        )
    return aligned(("data set", "captions", "mean confidence", "confirmed", "AUROC"), rows)


def _draw(expected: list[float], confirmed: list[float], path: Path) -> None:
    """Draw a reliability diagram, with a diagonal for perfect calibration."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise CaptionerError(
            "--plot needs matplotlib: pip install 'captioner[notebooks]'"
        ) from error

    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7")
    axes.plot(expected, confirmed, "o-")
    axes.set(
        xlabel="confidence",
        ylabel="share of content words that people confirm",
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
    )
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
