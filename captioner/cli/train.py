"""`captioner train`: train a model for captions or for labels of clips, by a recipe."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from captioner.cli.dataset_options import strict_option
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
@strict_option
@click.option("--run", help="Folder of the run, instead of the recipe's.")
@click.option(
    "--restart",
    is_flag=True,
    help="Start again: delete the run's checkpoints and features.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Processes on this machine that share each batch; see docs/how-to/train-on-workers.md for "
    "several machines.",
)
def train(
    recipes: tuple[str, ...],
    settings: tuple[str, ...],
    weights: str | None,
    strict: bool,
    restart: bool,
    workers: int,
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
            _read(recipe, settings, given, weights, strict, restart, workers, made)
            for recipe in recipes
        ]
        try:
            for training in trainings:
                training()
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
    workers: int,
    made: set[Path],
) -> Callable[[], None]:
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

    def run() -> None:
        if restart:
            forget_training(config)
        if workers > 1:
            _launch(recipe, settings, {**overrides, "weights": weights}, strict, workers)
            return
        with tensorflow_logs_hidden():
            from captioner.training.trainer import Trainer

        trainer = Trainer(config, report=click.echo)
        trainer.report(f"best preset: {trainer.train()}")

    return run


def _launch(
    recipe: str, settings: tuple[str, ...], options: dict[str, Any], strict: bool, workers: int
) -> None:
    """Train by a recipe in several processes; end with the exit code of one that fails."""
    from captioner.training.launcher import run_workers, train_command

    arguments = [recipe, *(f"--set={setting}" for setting in settings)]
    arguments += [f"--{name}={value}" for name, value in options.items() if value is not None]
    arguments += ["--strict"] if strict else []
    code = run_workers(train_command(arguments), workers, lambda line: click.echo(line, err=True))
    if code:
        raise click.exceptions.Exit(code)
