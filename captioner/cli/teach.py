"""`captioner teach`: continue the training of a preset on the user's own captions."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from captioner.cli.dataset_options import images_option, strict_option
from captioner.cli.endings import plain_errors
from captioner.engines.runtime import tensorflow_logs_hidden
from captioner.presets.storage import DEFAULT_PRESET

if TYPE_CHECKING:
    from captioner.training.teaching import Taught


_LISTED = 5


@click.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the taught preset.",
)
@images_option
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Preset to start from.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="HTML report file.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    help="Weight of the new weights in their mean with the old ones: a lower share learns less and "
    "forgets less. Default: 1, or 0.3 for a preset with another VGG16 than the bundled one.",
)
@strict_option
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
def teach(
    data: Path,
    out: Path,
    images: Path | None,
    preset: str,
    report: Path | None,
    seed: int,
    share: float | None,
    strict: bool,
    overwrite: bool,
) -> None:
    """Teach a preset your own images: DATA is a table of images and captions, or a library.

    From a library, which `caption --library` makes, only your corrected captions are used.

    New words are learned as well. Images without a split are divided into splits; the `val` split
    selects the best epoch and is captioned before and after training. `captioner check DATA`
    reports problems in the data beforehand. An interrupted run resumes.
    """
    with plain_errors():
        with tensorflow_logs_hidden():
            from captioner.training.teaching import teach as run

        taught = run(
            data,
            out,
            preset=preset,
            images=images,
            overwrite=overwrite,
            seed=seed,
            share=share,
            report=lambda line: click.echo(line, err=True),
            page=report,
            strict=strict,
        )
    _tell(taught)


def _tell(taught: "Taught") -> None:
    for example, before, after in taught.samples[:_LISTED]:
        click.echo(f"{example.id}\n  before: {before}\n  now:    {after}")
        click.echo(f"  people: {example.captions[0]}")
    scores = [
        f"{name} {100 * taught.before[name]:.1f} -> {100 * taught.after[name]:.1f}"
        for name in ("BLEU-4", "CIDEr")
    ]
    click.echo(f"{len(taught.samples)} images held out from training: {', '.join(scores)}")
    if taught.after["CIDEr"] <= taught.before["CIDEr"]:
        click.echo("It did not improve on them: more images or captions may help.", err=True)
    click.echo(f"{taught.preset}: {len(taught.new_words)} new words")
