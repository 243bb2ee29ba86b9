"""How a command ends when it is asked to."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """Make SIGTERM end the process by SystemExit, so that `with` blocks delete what is half made.

    By default it ends at once, and leaves partial files. The exit code is the shell's, 143.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
