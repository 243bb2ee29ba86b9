"""Freed memory, given back to the system."""

import ctypes
import sys
from contextlib import suppress


def return_freed_memory() -> None:
    """Have the C library of Linux give back what it keeps for the threads that freed it.

    Each thread would otherwise hold as much as the largest video that it has ever decoded.
    """
    if sys.platform.startswith("linux"):
        with suppress(AttributeError, OSError):  # musl has no such function
            ctypes.CDLL(None).malloc_trim(0)
