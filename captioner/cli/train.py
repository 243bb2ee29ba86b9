"""`captioner train`: train a model that writes captions or labels clips, by a recipe."""

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
    help="Change a value of the recipe, such as stages.0.ema=0; may be given several times.",
)
@click.option("--dataset", help="Data set, in place of the recipe's.")
@click.option("--images", help="Folder of the pictures, in place of the recipe's.")
@click.option("--features", help="Feature store, in place of the recipe's.")
@click.option("--weights", help="VGG16 weights, in place of the recipe's.")
@click.option(
    "--strict", is_flag=True, help="Refuse tables with faulty rows, instead of leaving them out."
)
@click.option("--run", help="Folder of the run, in place of the recipe's.")
@click.option(
    "--restart",
    is_flag=True,
    help="Begin anew: delete checkpoints and features that the run has made so far.",
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

    VGG16's features are computed on the way, and kept. With `task: activity` in it, RECIPE trains a
    model that labels clips.

    Several recipes are trained in the order given: one may begin with the best preset of another,
    or have it as its teacher.

    A run that was killed resumes where it stopped; one that is complete only says where its best
    preset is. With other options, data or presets than it was begun with, a run is refused.
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
    """Return what trains by a recipe: all are read, and checked, before the first trains."""
    from captioner.training.config import ActivityConfig, read_config
    from captioner.training.stage_options import check_needed, forget_training, presets_made

    config = read_config(recipe, overrides, settings)
    if weights is not None:
        config.encoder.pop("preset", None)
        config.encoder["weights"] = weights
    if strict:
        if isinstance(config, ActivityConfig):
            raise click.UsageError(f"--strict: {recipe} is about clips with labels, not a table.")
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
