"""Recipes: YAML files, bundled ones by name, with base recipes and settings that override them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from captioner.errors import CaptionerError

_BUNDLED = Path(__file__).parent / "recipes"


def recipe_names() -> list[str]:
    """Return the names of the bundled recipes.

    Example:
        >>> "vgg16_top_down" in recipe_names()
        True
    """
    return sorted(path.stem for path in _BUNDLED.glob("*.yaml"))


def recipe_path(name: str | Path) -> Path:
    """Find a recipe.

    Args:
        name: Path of a file, or name of a bundled recipe; a file of that name takes precedence.

    Raises:
        CaptionerError: If it is neither.

    Example:
        >>> recipe_path("vgg16_top_down").name
        'vgg16_top_down.yaml'
    """
    path = Path(name)
    if path.is_file():
        return path
    bundled = _BUNDLED / f"{name}.yaml"
    if path.name == str(name) and bundled.is_file():
        return bundled
    raise CaptionerError(
        f"cannot read the config {name}: give a YAML file, or one of {', '.join(recipe_names())}"
    )


def read_recipe(name: str | Path, settings: Sequence[str] = ()) -> dict[str, Any]:
    """Read a recipe: its base first, then its own values, then the settings.

    Args:
        name: Path or name as for `recipe_path`. The file's `base` names another recipe, by its name
            or by its path relative to the file's folder; its values are read first. Mappings are
            merged key by key; everything else, including lists, is replaced.
        settings: Settings such as "stages.0.ema=0": keys separated by dots (for a list, the index
            or the `name` of an item) and a YAML value. `null` removes an item from a list.

    Raises:
        CaptionerError: If a file is missing, is not YAML or is its own base, or if a setting names
            a missing item.

    Example:
        >>> recipe = read_recipe("vgg16_top_down_flickr8k", ["stages.finetune.epochs=3", "seed=2"])
        >>> recipe["seed"], recipe["stages"][1]["epochs"]
        (2, 3)
    """
    content = _with_base(recipe_path(name), ())
    for setting in settings:
        _apply(content, setting)
    return content


def _with_base(path: Path, derived: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in derived:
        raise CaptionerError(f"{path}: this recipe is its own base")
    content = _read_yaml(path)
    base = content.pop("base", None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise CaptionerError(f"{path}: `base` must name one recipe, got {base!r}")
    beside = path.parent / base
    found = recipe_path(beside if beside.is_file() else base)
    return _merge(_with_base(found, (*derived, path.resolve())), content)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise CaptionerError(f"cannot read the config {path} ({reason})") from error
    except yaml.YAMLError as error:
        raise CaptionerError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise CaptionerError(f"{path}: a config must consist of `key: value` lines")
    return content


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        known = merged.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            value = _merge(known, value)
        merged[key] = value
    return merged


def _apply(content: dict[str, Any], setting: str) -> None:
    name, equals, text = setting.partition("=")
    if not equals or not all(name.split(".")):
        raise CaptionerError(f"--set {setting}: write KEY=VALUE, such as stages.0.ema=0")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CaptionerError(f"--set {setting}: the value is not YAML") from error
    *parents, last = name.split(".")
    place: Any = content
    for key in parents:
        if isinstance(place, dict):
            place = place.setdefault(key, {})
        else:
            place = place[_position(place, key, setting)]
    if isinstance(place, dict):
        place[last] = value
        return
    position = _position(place, last, setting)
    if value is None:
        del place[position]
    else:
        place[position] = value


def _position(items: Any, key: str, setting: str) -> int:
    """Return the index of a list's item, given as a number or by its name."""
    if not isinstance(items, list):
        raise CaptionerError(f"--set {setting}: a single value has no key {key!r}")
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if key in names:
        return names.index(key)
    if key.isdecimal() and int(key) < len(items):
        return int(key)
    known = ", ".join(str(n if name is None else name) for n, name in enumerate(names))
    raise CaptionerError(f"--set {setting}: {key!r} is not one of {known}")
