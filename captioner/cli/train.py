"""`captioner train`: train a model for captions or for labels of clips, by a recipe."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from captioner.cli.endings import plain_errors
from captioner.engines.runtime import tensorflow_logs_hidden


@click.command()
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override a value of the recipe, such as stages.0.ema=0. Repeatable.",
)
@click.option("--dataset", help="Data set, instead of the recipe's.")
@click.option("--images", help="Image folder, instead of the recipe's.")
@click.option("--features", help="Feature store, instead of the recipe's.")
@click.option("--weights", help="VGG16 weights, instead of the recipe's.")
@click.option(
    "--strict", is_flag=True, help="Reject tables with faulty rows instead of skipping the rows."
)
@click.option("--run", help="Folder of the run, instead of the recipe's.")
@click.option(
    "--restart",
    is_flag=True,
    help="Start again: delete the run's checkpoints and features.",
)
def train(
    recipes: tuple[str, ...],
    settings: tuple[str, ...],
    weights: str | None,
    strict: bool,
    restart: bool,
    **overrides: str | None,
) -> None:
    """Train by RECIPE: a YAML file, or the name of a bundled recipe.

    VGG16's features are computed as needed, and kept. With `task: activity`, RECIPE trains a model
    that labels clips.

    Several recipes are trained in the given order: one may start from the best preset of another,
    or have it as its teacher.

    An interrupted run resumes where it stopped; a complete run only prints the path of its best
    preset. To resume a run, its options, data and presets must be unchanged.
    """
    with plain_errors():
        if len(recipes) > 1 and overrides["run"] is not None:
            raise click.UsageError("--run is for one recipe: each training has its own folder")
        given = {name: value for name, value in overrides.items() if value is not None}
        made: set[Path] = set()
        trainings = [
            _read(recipe, settings, given, weights, strict, restart, made) for recipe in recipes
        ]
        try:
            for training in trainings:
                click.echo(f"best preset: {training()}")
        except KeyboardInterrupt:
            click.echo(
                "Interrupted: the same command resumes after the last whole epoch.", err=True
            )
            raise click.exceptions.Exit(130) from None


def _read(
    recipe: str,
    settings: tuple[str, ...],
    overrides: dict[str, Any],
    weights: str | None,
    strict: bool,
    restart: bool,
    made: set[Path],
) -> Callable[[], Path]:
    """Read and check a recipe; return a function that trains by it.

    All recipes are checked before the first training starts.
    """
    from captioner.training.config import ActivityConfig, read_config
    from captioner.training.stage_options import check_needed, forget_training, presets_made

    config = read_config(recipe, overrides, settings)
    if weights is not None:
        config.encoder.pop("preset", None)
        config.encoder["weights"] = weights
    if strict:
        if isinstance(config, ActivityConfig):
            raise click.UsageError(f"--strict: {recipe} trains on clips with labels, not a table.")
        config = replace(config, strict=True)
    check_needed(config, recipe, made)
    made |= presets_made(config)

    def run() -> Path:
        if restart:
            forget_training(config)
        with tensorflow_logs_hidden():
            from captioner.training.trainer import Trainer

        return Trainer(config, report=click.echo).train()

    return run
