"""`captioner curves`: show the progress of a training."""

from pathlib import Path

import click

from captioner.cli.endings import plain_errors


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also draw them to a .png, .svg or .pdf file. This needs matplotlib.",
)
def curves(run: Path, out: Path | None) -> None:
    """Show the learning curves of RUN, and its captions of a few images after each epoch.

    RUN is the folder of a training, finished or not, or of one of its stages.
    """
    with plain_errors():
        from captioner.training.learning_curve import curve_text, read_curves

        found = read_curves(run)
        for curve in found:
            click.echo(curve_text(curve))
        if out is not None:
            from captioner.training.curve_figure import write_curves

            write_curves(found, out)
