"""`captioner`: make, train, score and ship captioning models; one file for each command."""

import importlib

import click

from captioner import __version__

_COMMANDS = {
    "check": "Report the contents of a data set, and problems that would hurt training.",
    "average": "Average the weights of several presets into one.",
    "compare": "Compare two models, or two files of captions, on the same images.",
    "batch": "Describe any number of images and videos on the machines of a Ray cluster.",
    "completion": "Print the completion script for a shell.",
    "config": "Show or set the defaults of `caption`.",
    "correct": "Replace a caption in a library by a person's.",
    "curves": "Show the progress of a training: scores and sample captions by epoch.",
    "evaluate": "Score the captions of a model or a file against references.",
    "export": "Write a preset's network for other programs: OpenVINO, ONNX, TensorFlow, LiteRT.",
    "info": "Show the facts about a preset and check its files.",
    "prepare": "Run the encoder once over a data set and keep its features.",
    "quantize": "Make a preset smaller and faster on CPUs: VGG16 in 8 bits.",
    "search": "Search the captions in a library by words.",
    "serve": "Serve a page for images, clips and a library, and an HTTP API.",
    "shard": "Write a data set of images into tar shards.",
    "teach": "Continue the training of a preset on your own captions.",
    "train": "Train a captioner by a recipe, bundled or your own.",
}


# Commands whose file has another name.
_FILES = {
    "average": "export",
    "completion": "defaults",
    "config": "defaults",
    "correct": "library_commands",
    "quantize": "export",
    "search": "library_commands",
}


# Commands that resume after an interruption.
_RESUMED = ("prepare", "shard", "teach")


class _LazyGroup(click.Group):
    """Group that imports a command's file only when it runs, so that `--help` is instant."""

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
        # By default click exits with code 1 after Ctrl-C, the same as after an error.
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
    """Make, train, score and ship captioning models. To describe images, see `caption --help`."""
