"""Requirements of a training, and the recorded options of its stages."""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from captioner.datasets.dataset import Dataset
from captioner.datasets.mixture import Mixture
from captioner.errors import CaptionerError
from captioner.presets.checksums import preset_identity
from captioner.presets.storage import preset_folder
from captioner.replacing import replacing
from captioner.text.vocabulary import Vocabulary
from captioner.training.config import ActivityConfig, StageConfig, TrainConfig
from captioner.training.data_summary import least_count
from captioner.training.epoch_samples import SAMPLES


def check_needed(
    config: TrainConfig | ActivityConfig, source: str, made: Collection[Path] = ()
) -> None:
    """Check that the data sets and presets of a recipe exist.

    Args:
        config: Config of the recipe.
        source: Name of the recipe, for the error.
        made: Presets of recipes that are trained before it, see `presets_made`.

    Raises:
        CaptionerError: If one is missing; the message contains its path and purpose.
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
                f"{source}: {what} is the preset {name}, which does not exist: first train the "
                "recipe that makes it, or name both recipes in one command, that one first"
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


_OPTIONS = "options.json"
_CHECKPOINT = "checkpoint.safetensors"
_OF_A_STAGE = (_CHECKPOINT, _OPTIONS, "log.csv", SAMPLES)

# Options that earlier versions did not have; recorded only if they differ from these defaults.
_ADDED = {"tokenizer": "words", "pieces": 4000, "keep_case": False}
# Options that a resumed training may change: paths do not affect results.
_FREE = {"run", "features", "dataset", "datasets", "images", "stages", "patience", "name", "strict"}


def hold_options(folder: Path, options: dict[str, Any]) -> None:
    """Compare the options of a stage with those that it was started with, or record them.

    Args:
        folder: Folder of the stage.
        options: Options that affect the result, from `caption_options` or `activity_options`.

    Raises:
        CaptionerError: If the stage was started with other options; the message lists them.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> hold_options(folder, {"seed": 1})
        >>> (folder / "checkpoint.safetensors").touch()  # an epoch is over
        >>> hold_options(folder, {"seed": 2})
        Traceback (most recent call last):
        captioner.errors.CaptionerError: ... was started with seed 1, and now it is 2: ...
    """
    path = folder / _OPTIONS
    options = json.loads(json.dumps(options))  # tuples are lists in a file
    if path.exists() and (folder / _CHECKPOINT).exists():
        try:
            begun = json.loads(path.read_text(encoding="utf-8"))
            differences = _differences(begun, options)
        except (OSError, ValueError, AttributeError) as error:
            raise CaptionerError(f"{path} cannot be read ({error}): {_WAYS_OUT}") from error
        if differences:
            raise CaptionerError(f"{folder} was started with {'; '.join(differences)}: {_WAYS_OUT}")
    with replacing(path) as partial:
        partial.write_text(json.dumps(options, indent=1) + "\n", encoding="utf-8")


_WAYS_OUT = (
    "give the options it was started with, start again with --restart, or name another --run folder"
)


def caption_options(
    config: TrainConfig,
    stage: StageConfig,
    mixture: Mixture,
    vocabulary: Vocabulary,
    start: Path | None,
) -> dict[str, Any]:
    """Return all options that affect the result of a stage of a captioner's training.

    Args:
        config: Config of the training.
        stage: Config of the stage.
        mixture: Data of the training.
        vocabulary: Vocabulary of the decoder.
        start: Preset with the initial weights of the stage, or None.
    """
    options = {key: value for key, value in asdict(config).items() if key not in _FREE}
    options = {k: v for k, v in options.items() if k not in _ADDED or v != _ADDED[k]}
    options["encoder"] = _encoder(config.encoder)
    options["min_count"] = config.min_count or least_count(
        sum(len(example.tokens) for example in mixture.split("train"))
    )
    options["stage"] = {key: value for key, value in asdict(stage).items() if key not in _FREE}
    options["stage"]["teachers"] = [preset_identity(preset_folder(n)) for n in stage.teachers]
    options["start"] = None if start is None else preset_identity(start)
    options["vocabulary"] = _digest(vocabulary.words)
    options["data"] = {
        part.settings.name or "dataset": {
            "content": part.dataset.fingerprint(),
            "weight": part.settings.weight,
            "frames": part.settings.frames,
            "captions": part.settings.captions,
            "validation": part.settings.validation,
            **({"distilled": True} if part.settings.distilled else {}),
        }
        for part in mixture.parts
    }
    return options


def activity_options(config: ActivityConfig, dataset: Dataset) -> dict[str, Any]:
    """Return all options that affect the result of an activity recognizer's training."""
    options = {key: value for key, value in asdict(config).items() if key not in _FREE}
    options["encoder"] = _encoder(config.encoder)
    options["start"] = (
        None if config.start is None else preset_identity(preset_folder(config.start))
    )
    splits = _digest([[example.id, example.split] for example in dataset.examples])
    options["data"] = {"content": dataset.fingerprint(), "splits": splits}
    return options


def forget_training(config: TrainConfig | ActivityConfig) -> None:
    """Delete the checkpoints, logs, options and feature stores of a run, to start it again.

    Other files in its folder stay. Its presets stay until the new ones replace them.
    """
    run = Path(config.run)
    if isinstance(config, ActivityConfig):
        folders, stores = [run], []
    else:
        folders = [run / stage.name for stage in config.stages]
        stores = [array for f in folders for array in sorted(f.glob("features*/**/features.npy"))]
    for folder in folders:
        for name in _OF_A_STAGE:
            (folder / name).unlink(missing_ok=True)
    for array in stores:
        shutil.rmtree(array.parent)


def _encoder(options: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in options.items() if k != "weights"}  # the stores record the weights
    if "preset" in kept:
        kept["preset"] = preset_identity(preset_folder(kept["preset"]))
    return kept


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _differences(begun: dict[str, Any], now: dict[str, Any]) -> list[str]:
    one, other = dict(_flat(begun)), dict(_flat(now))
    return [
        f"{name} {one.get(name, 'not given')}, and now it is {other.get(name, 'not given')}"
        for name in dict.fromkeys((*one, *other))
        if one.get(name) != other.get(name)
    ]


def _flat(options: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
