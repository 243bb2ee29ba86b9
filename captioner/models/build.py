"""Decoders by their names in configs and presets."""

import importlib
from typing import Any

from captioner.errors import CaptionerError
from captioner.models.decoder import Decoder

_CLASSES = {
    "lrcn": "LRCN",
    "s2vt": "S2VT",
    "show_and_tell": "ShowAndTell",
    "show_attend_and_tell": "ShowAttendAndTell",
    "top_down": "TopDown",
}


def build_decoder(name: str, channels: int, **options: Any) -> Decoder:
    """Build a decoder with new weights.

    Args:
        name: Module of this package: "lrcn", "s2vt", "show_and_tell", "show_attend_and_tell" or
            "top_down".
        channels: Length of a feature vector, C.
        options: Arguments of the class, including `vocabulary_size`.

    Raises:
        CaptionerError: If there is no such decoder, or it has no such option.

    Example:
        >>> build_decoder("top_down", 512, vocabulary_size=10, units=8, embedding_size=8).units
        8
    """
    # Earlier versions wrote this option. They could stack LSTMs, which did not improve scores.
    if options.pop("layers", 1) != 1:
        raise CaptionerError(
            f"decoder {name} has several LSTM layers, which this version does not support: train "
            "it without `layers`, or use captioner 0.1.0"
        )
    if name not in _CLASSES:
        raise CaptionerError(f"decoder {name!r}: choose one of {', '.join(sorted(_CLASSES))}")
    module = importlib.import_module(f"captioner.models.{name}")
    try:
        decoder: Decoder = getattr(module, _CLASSES[name])(**options)
        decoder.build((None, None, None, channels))
    except (TypeError, ValueError) as error:
        raise CaptionerError(f"decoder {name}: {error}") from error
    return decoder
