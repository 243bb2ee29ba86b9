"""Pillow as this package needs it: silent, and giving memory back."""

import ctypes
import logging
import warnings
from contextlib import suppress

import pillow_heif
from PIL import _imaging as core  # what PIL.Image calls `core`

_BLOCK = 64 * 2**20


def configure_pillow() -> None:
    """Have Pillow read HEIC, print nothing, and return the memory of large images.

    All of it holds for the whole process. What the libraries find wrong with a file is either an
    error, which `load_image` raises with the name of the file, or of no account for its pixels.
    """
    pillow_heif.register_heif_opener()
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    # Pillow leaves libtiff's own handlers in place, which print. A symbol is looked for in the
    # libraries that Pillow's extension is linked to, too, though not on Windows.
    with suppress(AttributeError, OSError):
        libtiff = ctypes.CDLL(core.__file__)
        libtiff.TIFFSetErrorHandler(None)
        libtiff.TIFFSetWarningHandler(None)
    # Blocks of up to 32 MiB, such as Pillow's of 16, the C library of Linux keeps for the thread
    # that freed them: each thread then holds the largest image that it has ever decoded.
    core.set_block_size(_BLOCK)


def register_jpeg_xl() -> None:
    """Have Pillow read JPEG XL, where the plug-in for it is installed; nothing else needs it."""
    with suppress(ImportError):
        import pillow_jxl  # noqa: F401
