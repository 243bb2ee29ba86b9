"""Heads by name, as configs and presets write them."""

import importlib
from typing import Any

from captioner.errors import CaptionerError
from captioner.vision.heads.head import ActivityHead

_CLASSES = {"averaging": "AveragingHead", "conv_lstm": "ConvLSTMHead", "lstm": "LSTMHead"}


def build_head(name: str, features_shape: tuple[int, ...], **options: Any) -> ActivityHead:
    """Builds a head, with fresh weights.

    Args:
        name: "averaging", "lstm" or "conv_lstm".
        features_shape: Height, width and channels of the features of a frame.
        options: The class's arguments; `classes` at least.

    Raises:
        CaptionerError: If there is no such head, or it has no such option.

    Example:
        >>> build_head("lstm", (7, 7, 512), classes=10, units=8).units
        8
    """
    if name not in _CLASSES:
        raise CaptionerError(f"head {name!r}: choose one of {', '.join(_CLASSES)}")
    module = importlib.import_module(f"captioner.vision.heads.{name}")
    try:
        head: ActivityHead = getattr(module, _CLASSES[name])(**options)
    except (TypeError, ValueError) as error:
        raise CaptionerError(f"head {name}: {error}") from error
    head.build((None, None, *features_shape))
    return head
