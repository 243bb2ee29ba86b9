"""Presets that recognize activities: on disk, and as a network."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from captioner.errors import CaptionerError
from captioner.presets.config_file import read_config
from captioner.presets.preset_check import check_recognizer
from captioner.presets.storage import naming, preset_folder, read_files, write_files

TASK = "activity"


@dataclass(frozen=True)
class ActivityPreset:
    """A trained recognizer of activities, before any network is built of it.

    Attributes:
        config: `task`; `labels`, in the order of the classes; `encoder` as `build_vgg16` takes it,
            with the `fingerprint` of its frozen blocks; `trainable_from`; `side`; `reading`,
            options of `read_action`; `head`, its `name` and options.
        weights: Arrays by name: "head/..." and, of trained blocks, "encoder/...".
        card: The model card, Markdown.
        folder: Where it was read, for errors.
    """

    config: dict[str, Any]
    weights: dict[str, np.ndarray]
    card: str
    folder: Path | None = field(default=None, compare=False)

    @property
    def labels(self) -> list[str]:
        """The labels, in the order of the classes."""
        labels: list[str] = self.config["labels"]
        return labels


def is_activity_preset(name_or_folder: str | Path) -> bool:
    """Whether a preset recognizes activities, and is no captioner; its files are not checked.

    Raises:
        CaptionerError: If it is missing or damaged.

    Example:
        >>> is_activity_preset("vgg16_top_down")
        False
    """
    return bool(read_config(preset_folder(name_or_folder)).get("task") == TASK)


def write_activity_preset(
    folder: str | Path, preset: ActivityPreset, overwrite: bool = False
) -> None:
    """Write a preset, as a whole or not at all; see `write_preset`."""
    config = {"task": TASK, **preset.config}
    write_files(folder, config, preset.weights, preset.card, overwrite=overwrite)


def read_activity_preset(name_or_folder: str | Path) -> ActivityPreset:
    """Reads a preset and checks that its files are whole.

    Args:
        name_or_folder: A bundled preset's name, or a folder.

    Raises:
        CaptionerError: If it is missing, damaged, of a newer format, or of another task.
    """
    folder = preset_folder(name_or_folder)
    config, weights, card = read_files(folder)
    if config.pop("task", None) != TASK:
        raise CaptionerError(
            f"preset {folder} recognizes no activities: give one that `captioner train` made of a "
            f"config with `task: {TASK}`"
        )
    with naming(folder):
        check_recognizer(config, weights)
    return ActivityPreset(config, weights, card, folder)
