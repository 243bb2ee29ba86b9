#!/usr/bin/env python
"""Give a preset a confidence, or see how far to trust the one that it has.

    python scripts/calibrate.py runs/mine/finetune/best --dataset data/flickr8k --fit
    python scripts/calibrate.py PRESET --dataset data/flickr8k --split test --plot reliability.png

--fit chooses the curve on the validation split and writes it into the preset's folder. Either way
prints, for captions in ten groups by confidence, what people confirmed of their content words.
"""

from dataclasses import asdict, replace
from pathlib import Path

import click
import numpy as np

from captioner.captioner import Captioner
from captioner.commands.errors import plain_errors
from captioner.datasets.readers import read_dataset
from captioner.decoding.calibration import Calibration
from captioner.errors import CaptionerError
from captioner.evaluation.confirmation import confirmed_share
from captioner.evaluation.table import aligned
from captioner.presets.storage import preset_folder, read_preset, write_preset

_GROUPS = 10


@click.command()
@click.argument("preset")
@click.option("--dataset", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--split", default="val", show_default=True)
@click.option("--fit", is_flag=True, help="Choose the curve anew and write it into the preset.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the groups.")
def main(preset: str, dataset: Path, split: str, fit: bool, plot: Path | None) -> None:
    """Measure, and with --fit choose, the confidence of PRESET, a bundled name or a folder."""
    with plain_errors():
        folder = preset_folder(preset)
        trained = read_preset(folder)
        captioner = Captioner(trained)
        examples = read_dataset(dataset).split(split)
        log_probs, words, shares = [], [], []
        captions = captioner.stream([example.path for example in examples], batch_size=32)
        for example, caption in zip(examples, captions, strict=True):
            if isinstance(caption, CaptionerError):
                click.echo(str(caption), err=True)
                continue
            log_probs.append(caption.log_prob)
            words.append(len(caption.words))
            shares.append(confirmed_share(caption.words, example.tokens))
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
            raise CaptionerError(f"{folder} has no confidence yet: choose one with --fit")
        given = np.array([curve.confidence(*pair) for pair in zip(log_probs, words, strict=True)])
        groups = np.array_split(np.argsort(given), _GROUPS)
        expected = [float(given[group].mean()) for group in groups]
        confirmed = [float(np.array(shares)[group].mean()) for group in groups]
        rows = [(f"{e:.2f}", f"{c:.2f}") for e, c in zip(expected, confirmed, strict=True)]
        click.echo(aligned(("mean confidence", "confirmed"), rows))
        error = np.mean(np.abs(np.subtract(expected, confirmed)))
        correlation = np.corrcoef(given, shares)[0, 1]
        click.echo(f"\ncalibration error {error:.3f}, correlation {correlation:.2f}")
        if plot:
            _draw(expected, confirmed, plot)


def _draw(expected: list[float], confirmed: list[float], path: Path) -> None:
    """A reliability diagram: on the diagonal a confidence is what it says."""
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
