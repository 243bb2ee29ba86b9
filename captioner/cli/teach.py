"""`captioner teach`: continue the training of a preset on one's own captions."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from captioner.cli.endings import plain_errors
from captioner.engines.runtime import tensorflow_logs_hidden

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
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the images or clips.")
@click.option("--preset", default="vgg16_top_down", show_default=True, help="Where to begin.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="HTML file.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--share",
    default=0.3,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Weight of what is learned against what was known: a higher one learns more, such as "
    "names, and forgets more.",
)
@click.option(
    "--strict", is_flag=True, help="Refuse a table with faulty rows, instead of leaving them out."
)
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
def teach(
    data: Path,
    out: Path,
    images: Path | None,
    preset: str,
    report: Path | None,
    seed: int,
    share: float,
    strict: bool,
    overwrite: bool,
) -> None:
    """Teach a preset your own images: DATA is a table of images and captions, or a library.

    Of a library, which `caption --library` makes, the captions that you have corrected are taught.

    New words are learnt, too. Images without a split are divided; those of `val` choose the best
    epoch and are captioned before and afterwards. `captioner check DATA` tells beforehand what is
    wrong with it. A run that was killed resumes.
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
    click.echo(f"{len(taught.samples)} images that it has not learnt from: {', '.join(scores)}")
    if taught.after["CIDEr"] <= taught.before["CIDEr"]:
        click.echo("It has become no better on them: more images or captions may help.", err=True)
    click.echo(f"{taught.preset}: {len(taught.new_words)} new words")
