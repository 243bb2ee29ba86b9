"""Silence on stderr while TensorFlow is imported."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def tensorflow_logs_hidden() -> Iterator[None]:
    """Hide what TensorFlow says of itself while it is imported, so that errors can be seen.

    Its libraries write some lines to file descriptor 2 before they have read TF_CPP_MIN_LOG_LEVEL;
    whoever sets that variable to less than 3 sees them all.
    """
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if level != "3" or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
