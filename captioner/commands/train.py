"""`captioner train`: train a captioner, or a recognizer of activities, by a config file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from captioner.commands.activities import read_activities
from captioner.commands.errors import plain_errors
from captioner.engines.tensorflow_logs import tensorflow_logs_hidden


@click.command()
@click.argument(
    "configs",
    metavar="CONFIG...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--dataset", help="Data set, in place of the config's.")
@click.option("--images", help="Folder of the pictures, in place of the config's.")
@click.option("--features", help="Feature store, in place of the config's.")
@click.option("--weights", help="VGG16 weights, in place of the config's.")
@click.option("--run", help="Folder of the run, in place of the config's.")
def train(configs: tuple[Path, ...], weights: str | None, **overrides: str | None) -> None:
    """Train a captioner by CONFIG, a YAML file such as those in scripts/configs.

    VGG16's features are computed on the way, and kept. With `task: activity` in it, CONFIG trains a
    recognizer of activities.

    Several configs are trained in the order given: one may begin with the best preset of another,
    or have it as its teacher.

    A run that was killed goes on where it stopped; one that is complete only says where its best
    preset is.
    """
    with plain_errors():
        if len(configs) > 1 and overrides["run"] is not None:
            raise click.UsageError("--run is for one config: each training has its own folder")
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            for training in [_read(config, given, weights) for config in configs]:
                click.echo(f"best preset: {training()}")
        except KeyboardInterrupt:
            click.echo(
                "Interrupted: the same command resumes after the last whole epoch.", err=True
            )
            raise click.exceptions.Exit(130) from None


def _read(config: Path, overrides: dict[str, Any], weights: str | None) -> Callable[[], Path]:
    """What trains by a config: all are read, and what is wrong is told, before the first trains."""
    from captioner.training.activity_config import TASK
    from captioner.training.config import read_config, read_yaml

    if read_yaml(config).get("task") == TASK:
        return read_activities(config, overrides, weights)
    settings = read_config(config, overrides)
    if weights is not None:
        settings.encoder["weights"] = weights
    with tensorflow_logs_hidden():
        from captioner.training.trainer import Trainer

    return lambda: Trainer(settings, report=click.echo).train()
