"""Memory and turns that threads which decode images share."""

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Condition


def return_freed_memory() -> None:
    """Have the C library of Linux give back what it keeps for the threads that freed it.

    Each thread would otherwise hold as much as the largest video that it has ever decoded.
    """
    if sys.platform.startswith("linux"):
        with suppress(AttributeError, OSError):  # musl has no such function
            ctypes.CDLL(None).malloc_trim(0)


class MemoryBudget:
    """Lets threads decode together as long as what they need fits in, and wait where it does not.

    A thread that holds a part must not wait for another one, lest all of them wait.

    Args:
        total: Bytes.

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
        """Wait until so many bytes are free, and hold them for the time of a `with` block.

        Args:
            amount: Bytes; more than there are in all are taken for all.
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


# Enough for an image of 178 megapixels, the most that Pillow decodes, in most formats.
DECODING = MemoryBudget(1_260_000_000)


def _at_once() -> None:
    pass


_wait: ContextVar[Callable[[], None]] = ContextVar("wait", default=_at_once)


def wait_for_turn() -> None:
    """Wait until every source before the one that this thread reads is done with.

    A video holds its decoder as long as it is read, and a budget that it waited for could be held
    by one behind it, which waits for it in turn; of the first in the row there is but one.
    """
    _wait.get()()


class Turns:
    """Whose turn it is among numbered sources.

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
        """Have `wait_for_turn` in this thread wait for the turn of a source."""

        def wait() -> None:
            with self._changed:
                self._changed.wait_for(lambda: number <= self._first)

        _wait.set(wait)

    def pass_to(self, number: float) -> None:
        """Let a source go on, and those before it; `math.inf` is all of them."""
        with self._changed:
            self._first = number
            self._changed.notify_all()
