"""`captioner export`: a preset's network for other programs, or for the fast engine."""

from pathlib import Path

import click

from captioner.commands.plain_errors import plain_errors
from captioner.engines.tensorflow_logs import tensorflow_logs_hidden


@click.command()
@click.argument("preset")
@click.option(
    "--format",
    "format_name",
    required=True,
    type=click.Choice(["preset", "openvino", "onnx", "saved_model", "litert"]),
    help="preset is captioner's own, with what --engine openvino needs.",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False),
    help="For a preset of activities that does not hold its VGG16: the file of it.",
)
def export(preset: str, format_name: str, out: Path, overwrite: bool, weights: str | None) -> None:
    """Write the network of PRESET, a name or a folder, to the folder --out.

    It consists of three functions: encode (frames to features), begin (features to memory and
    state) and step (word, state and memory to the best next words). What was written is run and
    compared with Keras; nothing is left of what differs. With --format preset, --out may be the
    preset's own folder, with --overwrite. A preset of activities is written so with all blocks of
    its VGG16, and then needs no other file.
    """
    with plain_errors():
        with tensorflow_logs_hidden():
            from captioner.exports.export import export_preset
            from captioner.exports.graphs import with_graphs
            from captioner.presets.network import hold_vgg16
        from captioner.presets.storage import read_preset, write_preset
        from captioner.results import ACTIVITY, CAPTION

        read = read_preset(preset, task=None if format_name == "preset" else CAPTION)
        if weights is not None and read.task != ACTIVITY:
            raise click.UsageError("--weights is for a preset of activities.")
        if read.task == ACTIVITY:
            write_preset(out, hold_vgg16(read, weights), overwrite)
            click.echo(f"{out}: a preset that holds its VGG16")
        elif format_name == "preset":
            write_preset(out, with_graphs(read), overwrite)
            click.echo(f"{out}: a preset for both engines")
        else:
            difference = export_preset(read, format_name, out)
            click.echo(f"{out}: {format_name}, differs from Keras by {difference:.1g} at most")
