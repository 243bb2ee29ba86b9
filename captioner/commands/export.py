"""`captioner export`: a preset's network for other programs, or for the fast engine."""

from pathlib import Path

import click

from captioner.commands.errors import plain_errors
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
def export(preset: str, format_name: str, out: Path, overwrite: bool) -> None:
    """Write the network of PRESET, a name or a folder, to the folder --out.

    It consists of three functions: encode (frames to features), begin (features to memory and
    state) and step (word, state and memory to the best next words). What was written is run and
    compared with Keras; nothing is left of what differs. With --format preset, --out may be the
    preset's own folder, with --overwrite.
    """
    with plain_errors():
        with tensorflow_logs_hidden():
            from captioner.exports.export import export_preset
            from captioner.presets.graphs import with_graphs
        from captioner.presets.storage import read_preset, write_preset

        read = read_preset(preset)
        if format_name == "preset":
            write_preset(out, with_graphs(read), overwrite)
            click.echo(f"{out}: a preset for both engines")
        else:
            difference = export_preset(read, format_name, out)
            click.echo(f"{out}: {format_name}, differs from Keras by {difference:.1g} at most")
