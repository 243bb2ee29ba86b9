"""`captioner`: make, train, score and ship captioning models; one file for each command."""

import importlib

import click

from captioner import __version__

_COMMANDS = {
    "check": "Report what is in a data set, and what in it will hurt a training.",
    "average": "Make one preset of several: the mean of their weights.",
    "compare": "Compare two models, or two files of captions, on the same images.",
    "batch": "Describe any number of images and films, on the machines of a Ray cluster.",
    "completion": "Write the script by which a shell completes commands.",
    "config": "Show or set the defaults of `caption`.",
    "correct": "Put a person's words in place of a caption in a library.",
    "curves": "Show how a training went: scores and sample captions, epoch by epoch.",
    "evaluate": "Score captions, of a model or of a file, against references.",
    "export": "Write a preset's network for other programs: OpenVINO, ONNX, TensorFlow, LiteRT.",
    "info": "Show what a preset is and check its files.",
    "prepare": "Run the encoder once over a data set and keep its features.",
    "quantize": "Make a preset smaller and faster: VGG16 in 8 bits, for CPUs.",
    "search": "Find captions in a library, by words.",
    "serve": "Show a page for images, clips and a library, and answer over HTTP.",
    "teach": "Continue the training of a preset on your own captions.",
    "train": "Train a captioner by a recipe, bundled or your own.",
}


# Files that are not named like their command.
_FILES = {
    "average": "export",
    "completion": "defaults",
    "config": "defaults",
    "correct": "library_commands",
    "quantize": "export",
    "search": "library_commands",
}


# What goes on after a kill where it was killed.
_RESUMED = ("prepare", "teach")


class _LazyGroup(click.Group):
    """Imports a command's file when it is run, so that `--help` is instant."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"captioner.cli.{_FILES.get(name, name)}"), name
        )
        return command

    def invoke(self, context: click.Context) -> object:
        # click's own answer to Ctrl-C is exit code 1, which is that of an error.
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            again = context.invoked_subcommand in _RESUMED
            click.echo(
                "Interrupted: the same command resumes where it stopped."
                if again
                else "Interrupted.",
                err=True,
            )
            raise click.exceptions.Exit(130) from None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="captioner")
def main() -> None:
    """Make, train, score and ship captioning models. To describe pictures, see `caption --help`."""
