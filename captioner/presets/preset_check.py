"""Reading and checks of a preset's config.json."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from captioner.errors import CaptionerError
from captioner.text.subwords import WORDPIECE

_MOST = 2**24  # bytes


def read_config(folder: Path) -> dict[str, Any]:
    """Read the config.json of a preset, without checking its checksum and its values.

    Args:
        folder: Folder of the preset.

    Returns:
        The JSON object in the file.

    Raises:
        CaptionerError: If the file cannot be read, or is not a JSON object.

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
        raise CaptionerError(f"preset {folder}: config.json is not a JSON object: {fix}")
    return config


_WORDS = "decoder/embedding/embeddings"  # (V, E), of every decoder
_LABELS = "head/logits/bias"  # (K,)

Rule = tuple[str, Callable[[Any], bool]]


def _whole(least: int, most: int) -> Rule:
    return (
        f"a whole number from {least} to {most}",
        lambda value: type(value) is int and least <= value <= most,
    )


def _real(least: float, most: float) -> Rule:
    # Also false for NaN, and for numbers that are too large to compare.
    return (
        f"a number from {least:g} to {most:g}",
        lambda value: type(value) in (int, float) and least <= value <= most,
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _channels(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 5 and all(map(_whole(1, 4096)[1], value))


_FILTERS: Rule = ("five whole numbers", _channels)
_TEXT: Rule = ("a text", lambda value: isinstance(value, str))
_GENERATION: dict[str, Rule] = {
    "beam_width": _whole(1, 1000),
    "max_length": _whole(1, 1000),
    "min_length": _whole(0, 1000),
    "length_power": _real(-100, 100),
    "no_repeat_ngram": _whole(0, 1000),
}
_TOKENIZER: dict[str, Rule] = {
    "name": ("wordpiece", lambda value: value == WORDPIECE),
    "most_pieces": _whole(1, 10_000),
    "keep_case": ("true or false", lambda value: isinstance(value, bool)),
}
_CONFIDENCE: dict[str, Rule] = {"intercept": _real(-1e9, 1e9), "slope": _real(-1e9, 1e9)}
_READING: dict[str, Rule] = {
    "frames": _whole(1, 1000),
    "crop": ("a share or null", lambda value: value is None or _real(1e-3, 1)[1](value)),
    "trim": ("true or false", lambda value: isinstance(value, bool)),
}


def check_captioner(
    config: Mapping[str, Any], weights: Mapping[str, np.ndarray], words: Sequence[str]
) -> None:
    """Check the config and the weights of a captioning preset.

    Args:
        config: Config of a `Preset`.
        weights: Arrays by name.
        words: Words of the vocabulary, including special tokens.

    Raises:
        CaptionerError: If a value is missing, unknown, of a wrong type or out of its range.
    """
    _check_weights(weights)
    encoder = {"grid": _whole(1, 14), "filters": _FILTERS}
    _check_options(_section(config, "encoder"), "encoder", encoder, required=("grid",))
    _check_built(_section(config, "decoder"), "decoder", weights)
    generation = _section(config, "generation")
    _check_options(generation, "generation", _GENERATION, required=())
    if generation.get("min_length", 0) > generation.get("max_length", 1000):
        raise _wrong("generation.min_length", generation["min_length"], "max_length at most")
    if "frames" in config:
        _check_value("frames", config["frames"], _whole(1, 1000))
    if config.get("confidence") is not None:
        _check_options(_section(config, "confidence"), "confidence", _CONFIDENCE)
    if "tokenizer" in config:
        _check_options(_section(config, "tokenizer"), "tokenizer", _TOKENIZER)
    if "presence_words" in config and not _texts(config["presence_words"]):
        raise _wrong("presence_words", config["presence_words"], "a list of texts")
    if odd := [word for word in words if word.split() != [word] or not word.isprintable()]:
        raise CaptionerError(f"vocabulary.json has {odd[0]!r:.60}, which is not one word")
    if _WORDS in weights and weights[_WORDS].shape[:1] != (len(words),):
        raise CaptionerError(
            f"vocabulary.json has {len(words)} words including special tokens, but "
            f"model.safetensors has {weights[_WORDS].shape[:1]}"
        )


def check_recognizer(config: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> None:
    """Check the config and the weights of an activity preset.

    Raises:
        CaptionerError: If a value is missing, unknown, of a wrong type or out of its range.
    """
    _check_weights(weights)
    labels = config.get("labels")
    if not labels or not _texts(labels) or len(set(labels)) < len(labels):
        raise _wrong("labels", labels, "a list of different texts")
    encoder = {"preset": _TEXT, "weights": _TEXT, "fingerprint": _TEXT, "filters": _FILTERS}
    _check_options(_section(config, "encoder"), "encoder", encoder, required=("fingerprint",))
    _check_options(_section(config, "reading"), "reading", _READING)
    _check_built(_section(config, "head"), "head", weights)
    _check_value("side", config.get("side"), _whole(32, 2048))
    _check_value("split_seed", config.get("split_seed"), _whole(0, 2**32 - 1))
    blocks = ("text or null", lambda value: value is None or isinstance(value, str))
    _check_value("trainable_from", config.get("trainable_from"), blocks)
    if _LABELS in weights and weights[_LABELS].shape != (len(labels),):
        raise CaptionerError(
            f"config.json has {len(labels)} labels, but model.safetensors has "
            f"{weights[_LABELS].shape}"
        )


def _check_weights(weights: Mapping[str, np.ndarray]) -> None:
    for name, array in weights.items():
        if not np.issubdtype(array.dtype, np.floating) or not array.size:
            raise CaptionerError(
                f"model.safetensors: {name} is {array.dtype} {array.shape}, not floating-point "
                "numbers"
            )
        if not _all_finite(array):
            raise CaptionerError(f"model.safetensors: {name} contains NaN or infinite numbers")


def _all_finite(array: np.ndarray) -> bool:
    if array.dtype == np.float16:  # test of the exponent, four times as fast as isfinite
        return bool((array.view(np.uint16) & 0x7FFF).max() < 0x7C00)
    return bool(np.isfinite(array).all())


def _check_built(
    options: Mapping[str, Any], section: str, weights: Mapping[str, np.ndarray]
) -> None:
    """Check the options of a part of the network; no size may be larger than in its weights."""
    _check_value(f"{section}.name", options.get("name"), _TEXT)
    sides = [side for name, a in weights.items() if name.startswith(section) for side in a.shape]
    most = max(sides, default=1)
    for name, value in options.items():
        if isinstance(value, int) and not 0 <= value <= most and sides:
            raise _wrong(f"{section}.{name}", value, f"a size that its weights have, up to {most}")
        if isinstance(value, list | dict) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise _wrong(f"{section}.{name}", value, "a text, a number, true or false")


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = config.get(name)
    if not isinstance(section, dict):
        raise _wrong(name, section, "an object")
    return section


def _check_options(
    options: Mapping[str, Any],
    section: str,
    rules: Mapping[str, Rule],
    required: tuple[str, ...] | None = None,
) -> None:
    if unknown := sorted(options.keys() - rules.keys()):
        raise CaptionerError(f"config.json: {section} has no option {unknown[0]!r:.100}")
    for name, rule in rules.items():
        if name in options:
            _check_value(f"{section}.{name}", options[name], rule)
        elif required is None or name in required:
            raise CaptionerError(f"config.json: {section} lacks {name}")


def _check_value(name: str, value: Any, rule: Rule) -> None:
    wanted, holds = rule
    if not holds(value):
        raise _wrong(name, value, wanted)


def _wrong(name: str, value: Any, wanted: str) -> CaptionerError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
    return CaptionerError(f"config.json: {name} is {shown}, not {wanted}")
