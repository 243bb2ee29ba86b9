"""The model card of a trained preset, and how it came about."""

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
    """Return the `training` of a preset's config; a later training of the same gives the same.

    It holds no time and no path, so that equal trainings give equal bytes.

    Args:
        options: What decides the result, as `stage_options` gives it: seed, hashes of the data, and
            all else that the recipe sets.
        stage: Name of the stage; "" where there is but one.
        scores: Of the validation, fractions by metric.

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
    """Return the commit of this package's checkout, "+changes" after it if files were changed.

    None for an installed package, also where it lies within a repository of something else.
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
    """Describe a preset right after training: what it is, of what, and its validation scores.

    Args:
        config: The training's.
        dataset: The data it was trained on.
        scores: Validation scores, fractions by metric.

    Returns:
        Markdown.
    """
    sizes = split_sizes(dataset)
    rows = "\n".join(f"| {name} | {100 * value:.1f} |" for name, value in scores.items())
    if isinstance(config, ActivityConfig):
        trained = f"trained from {config.trainable_from} up" if config.trainable_from else "frozen"
        about = f"""Gives a clip one of {len(dataset.labels)} labels: {", ".join(dataset.labels)}.

VGG16 (Simonyan and Zisserman 2014; ImageNet weights CC BY 4.0), {trained}, and a
`{config.head["name"]}` head over up to {config.frames} frames, as in LRCN (Donahue et al. 2015);
trained with `captioner` on {dataset.name} ({sizes} clips, split seed {config.split_seed})."""
        heading = "validation split"
        limits = "It gives one of these labels to whatever it is shown, also where none fits."
    else:
        what = "clips" if dataset.has_clips else "images"
        about = f"""VGG16 encoder (Simonyan and Zisserman 2014; ImageNet weights CC BY 4.0) and a
`{config.decoder["name"]}` LSTM decoder, trained with `captioner` on {dataset.name}
({sizes} {what})."""
        heading = f"validation split, beam width {config.validation.get('beam_width', 3)}"
        limits = (
            "It writes sentences like those it was trained on, also where they do not fit the "
            "image."
        )
    return f"""# Model card

{about}

| {heading} | score x 100 |
|---|---|
{rows}

{limits}
"""
