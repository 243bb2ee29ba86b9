"""`captioner average`: one preset of several stages or trainings."""

from pathlib import Path

import click

from captioner.commands.plain_errors import plain_errors


@click.command()
@click.argument("presets", metavar="PRESET PRESET...", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
def average(presets: tuple[str, ...], out: Path, overwrite: bool) -> None:
    """Write the mean of the weights of each PRESET to the folder --out, as one preset.

    They must have learnt from the same beginning: stages of one training, or trainings whose
    `start` is the same. Compare it with them by `captioner evaluate --split val`.
    """
    with plain_errors():
        from captioner.exports.soup import average_presets
        from captioner.presets.storage import read_preset, write_preset

        if len(presets) < 2:
            raise click.UsageError("give two presets or more: one is its own mean")
        mean = average_presets([read_preset(preset) for preset in presets])
        write_preset(out, mean, overwrite)
        click.echo(f"{out}: the mean of {len(presets)} presets")
