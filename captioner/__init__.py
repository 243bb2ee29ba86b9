"""Image and video captioning with a VGG16 encoder and an LSTM decoder.

Names are loaded at their first use, so that importing the package is instant.
"""

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from captioner.engines.runtime import switch_telemetry_off
from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.captioner import Captioner
    from captioner.results import Caption, Label

__version__ = "0.1.0"

__all__ = ["Caption", "Captioner", "CaptionerError", "Label", "__version__"]

switch_telemetry_off()  # before anything imports OpenVINO
with suppress(ImportError):
    # Before TensorFlow, whose own SQLite has no full-text search and would replace this one.
    import sqlite3  # noqa: F401

_HOMES = {
    "Caption": "captioner.results",
    "Captioner": "captioner.captioner",
    "Label": "captioner.results",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
