"""The presets that a recipe needs of other recipes, looked for before any work."""

from collections.abc import Collection, Iterator
from pathlib import Path

from captioner.errors import CaptionerError
from captioner.presets.storage import preset_folder
from captioner.training.config import ActivityConfig, TrainConfig


def check_needed(
    config: TrainConfig | ActivityConfig, source: str, made: Collection[Path] = ()
) -> None:
    """Check that the data and the presets that a recipe names are there.

    Args:
        config: Of the recipe.
        source: Its name, for the error.
        made: Presets of recipes that are trained before it, see `presets_made`.

    Raises:
        CaptionerError: If one is missing; the message says which, and what it is for.
    """
    paths = config.dataset if isinstance(config, ActivityConfig) else [d.path for d in config.data]
    for path in [paths] if isinstance(paths, str) else paths:
        if not Path(path).exists():
            raise CaptionerError(
                f"{source}: there is no data set {path}: check the path, or name another with "
                "--dataset"
            )
    for what, name in _needed(config):
        if Path(name).resolve() in made:
            continue
        try:
            preset_folder(name)
        except CaptionerError as error:
            raise CaptionerError(
                f"{source}: {what} is the preset {name}, which is not there: train the recipe that "
                "makes it first, or name both recipes in one command, that one before this one"
            ) from error


def presets_made(config: TrainConfig | ActivityConfig) -> set[Path]:
    """Return the folders of the presets that a training makes."""
    if isinstance(config, ActivityConfig):
        return {(Path(config.run) / "best").resolve()}
    return {(Path(config.run) / stage.name / "best").resolve() for stage in config.stages}


def _needed(config: TrainConfig | ActivityConfig) -> Iterator[tuple[str, str]]:
    if config.start is not None:
        yield "`start`", config.start
    if "preset" in config.encoder:
        yield "the preset of `encoder`", config.encoder["preset"]
    if isinstance(config, TrainConfig):
        if config.vocabulary is not None:
            yield "`vocabulary`", config.vocabulary
        for stage in config.stages:
            for name in stage.teachers:
                yield f"a teacher of stage {stage.name}", name
