"""Memory that threads which decode images share."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


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
