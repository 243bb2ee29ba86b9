"""Turns among sources that are read at once, for those that are too large to be read together."""

from collections.abc import Callable
from contextvars import ContextVar
from threading import Condition


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
