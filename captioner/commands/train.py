"""`captioner train`: train a captioner, or a recognizer of activities, by a config file."""

from pathlib import Path

import click

from captioner.commands.activities import train_activities
from captioner.commands.errors import plain_errors
from captioner.engines.tensorflow_logs import tensorflow_logs_hidden


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dataset", help="Data set, in place of the config's.")
@click.option("--images", help="Folder of the pictures, in place of the config's.")
@click.option("--features", help="Feature store, in place of the config's.")
@click.option("--weights", help="VGG16 weights, in place of the config's.")
@click.option("--run", help="Folder of the run, in place of the config's.")
def train(config: Path, weights: str | None, **overrides: str | None) -> None:
    """Train a captioner by CONFIG, a YAML file such as those in scripts/configs.

    With `task: activity` in it, CONFIG trains a recognizer of activities; its features are computed
    on the way.

    A run that was killed goes on where it stopped; one that is complete only says where its best
    preset is.
    """
    with plain_errors():
        from captioner.training.activity_config import TASK
        from captioner.training.config import read_config, read_yaml

        with tensorflow_logs_hidden():
            from captioner.training.trainer import Trainer

        given = {name: value for name, value in overrides.items() if value is not None}
        if read_yaml(config).get("task") == TASK:
            train_activities(config, given, weights)
            return
        settings = read_config(config, given)
        if weights is not None:
            settings.encoder["weights"] = weights
        best = Trainer(settings, report=click.echo).train()
        click.echo(f"best preset: {best}")
