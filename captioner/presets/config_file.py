"""The config.json of a preset, as an object of plain values."""

import json
from pathlib import Path
from typing import Any

from captioner.errors import CaptionerError

_MOST = 2**24  # bytes


def read_config(folder: Path) -> dict[str, Any]:
    """Read the config.json of a preset; its checksum and its values are not checked.

    Args:
        folder: Of the preset.

    Returns:
        The object that the file holds.

    Raises:
        CaptionerError: If it cannot be read, or is no object in JSON.

    Example:
        >>> read_config(Path("captioner/presets/vgg16_top_down"))["encoder"]
        {'grid': 7}
    """
    path = folder / "config.json"
    fix = "download or reinstall it"
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
        if len(content) > _MOST:
            raise CaptionerError(f"preset {folder}: config.json has more than 16 MiB: {fix}")
        config = json.loads(content.decode("utf-8"))
    except RecursionError as error:
        raise CaptionerError(f"preset {folder}: config.json is nested too deeply: {fix}") from error
    except (OSError, ValueError) as error:
        raise CaptionerError(
            f"preset {folder}: cannot read config.json ({error}): {fix}"
        ) from error
    if not isinstance(config, dict):
        raise CaptionerError(f"preset {folder}: config.json is no JSON object: {fix}")
    return config
