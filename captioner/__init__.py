"""Describe pictures in words with a VGG16 encoder and an LSTM decoder."""

from captioner.errors import CaptionerError

__version__ = "0.1.0"

__all__ = ["CaptionerError", "__version__"]
