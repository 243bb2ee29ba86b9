"""The model card of a trained preset, and the record of its training."""

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras

from captioner import __version__
from captioner.datasets.dataset import Dataset
from captioner.training.config import ActivityConfig, TrainConfig
from captioner.training.data_summary import split_sizes

_PACKAGES = ("keras", "numpy", "pillow", "av")
_BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def describe_training(
    options: dict[str, Any], stage: str, scores: dict[str, float]
) -> dict[str, Any]:
    """Return the `training` entry of a preset's config.

    It contains no times and no paths, so that equal trainings give equal bytes.

    Args:
        options: Options that affect the result, as `stage_options` returns them: seed, hashes of
            the data, and all other settings of the recipe.
        stage: Name of the stage; "" if there is only one.
        scores: Validation scores, fractions by metric.

    Example:
        >>> describe_training({"seed": 1}, "frozen", {"CIDEr": 0.5})["validation"]
        {'CIDEr': 0.5}
    """
    backend = _BACKENDS[keras.backend.backend()]
    return {
        "captioner": __version__,
        "commit": current_commit(),
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in (*_PACKAGES, backend)},
        },
        **({"stage_name": stage} if stage else {}),
        "options": options,
        "validation": scores,
    }


@cache
def current_commit() -> str | None:
    """Return the commit of this package's checkout, followed by "+changes" if files were changed.

    None for an installed package, even if it is inside another project's repository.
    """
    folder = Path(__file__).parents[1]
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return (
        commit if _git(folder, "status", "--porcelain", "-uno", ".") == "" else f"{commit}+changes"
    )


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def write_card(
    config: TrainConfig | ActivityConfig, dataset: Dataset, scores: dict[str, float]
) -> str:
    """Write the model card of a newly trained preset: network, data and validation scores.

    Args:
        config: Config of the training.
        dataset: Data of the training.
        scores: Validation scores, fractions by metric.

    Returns:
        Markdown.
    """
    sizes = split_sizes(dataset)
    rows = "\n".join(f"| {name} | {100 * value:.1f} |" for name, value in scores.items())
    if isinstance(config, ActivityConfig):
        trained = f"trained from {config.trainable_from} up" if config.trainable_from else "frozen"
        about = f"""Assigns a clip one of {len(dataset.labels)} labels: {", ".join(dataset.labels)}.

VGG16 (Simonyan and Zisserman 2014; ImageNet weights CC BY 4.0), {trained}, and a
`{config.head["name"]}` head over up to {config.frames} frames, as in LRCN (Donahue et al. 2015);
trained with `captioner` on {dataset.name} ({sizes} clips, split seed {config.split_seed})."""
        heading = "validation split"
        limits = "It assigns one of these labels to every clip, even if none fits."
    else:
        what = "clips" if dataset.has_clips else "images"
        about = f"""VGG16 encoder (Simonyan and Zisserman 2014; ImageNet weights CC BY 4.0) and a
`{config.decoder["name"]}` LSTM decoder, trained with `captioner` on {dataset.name}
({sizes} {what})."""
        heading = f"validation split, beam width {config.validation.get('beam_width', 3)}"
        limits = (
            "It writes sentences like those it was trained on, even if they do not fit the image."
        )
    return f"""# Model card

{about}

| {heading} | score x 100 |
|---|---|
{rows}

{limits}
"""
