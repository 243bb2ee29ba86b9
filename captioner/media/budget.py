"""The memory budget and the turns that decoding threads share."""

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Condition


def return_freed_memory() -> None:
    """Make the C library on Linux return freed memory, which it otherwise keeps per thread.

    Otherwise, each thread would hold as much memory as its largest video needed.
    """
    if sys.platform.startswith("linux"):
        with suppress(AttributeError, OSError):  # musl has no such function
            ctypes.CDLL(None).malloc_trim(0)


class MemoryBudget:
    """Lets threads decode in parallel while their memory fits a budget, and wait otherwise.

    A thread that has reserved memory must not reserve more, which could cause a deadlock.

    Args:
        total: Budget in bytes.

    Example:
        >>> budget = MemoryBudget(100)
        >>> with budget.reserve(60), budget.reserve(40):
        ...     budget.free
        0
        >>> budget.free
        100
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.free = total
        self._changed = Condition()

    @contextmanager
    def reserve(self, amount: int) -> Iterator[None]:
        """Wait until `amount` bytes are free, and reserve them for the duration of a `with` block.

        Args:
            amount: Number of bytes; values above the budget reserve all of it.
        """
        amount = min(amount, self.total)
        with self._changed:
            self._changed.wait_for(lambda: self.free >= amount)
            self.free -= amount
        try:
            yield
        finally:
            with self._changed:
                self.free += amount
                self._changed.notify_all()


# Enough for an image of 178 megapixels, Pillow's limit, in most formats.
DECODING = MemoryBudget(1_260_000_000)


def _at_once() -> None:
    pass


_wait: ContextVar[Callable[[], None]] = ContextVar("wait", default=_at_once)


def wait_for_turn() -> None:
    """Wait until all sources before the one that this thread reads are finished.

    A large video holds its decoder as long as it is read. If it waited for a memory budget, a later
    source could hold that budget while it waits for this video: a deadlock. Waiting for its turn
    avoids that, because only one source is the first.
    """
    _wait.get()()


class Turns:
    """The current turn among numbered sources.

    Example:
        >>> turns = Turns()
        >>> turns.take(0)
        >>> wait_for_turn()
        >>> turns.pass_to(1)
    """

    def __init__(self) -> None:
        self._first: float = 0
        self._changed = Condition()

    def take(self, number: int) -> None:
        """Make `wait_for_turn` in this thread wait for the turn of a source."""

        def wait() -> None:
            with self._changed:
                self._changed.wait_for(lambda: number <= self._first)

        _wait.set(wait)

    def pass_to(self, number: float) -> None:
        """Give the turn to a source and all sources before it; `math.inf` means all sources."""
        with self._changed:
            self._first = number
            self._changed.notify_all()
