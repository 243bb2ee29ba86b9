"""How many requests are worked on at once, how many wait, and when others are turned away."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException

_Answer = TypeVar("_Answer")


class Admission:
    """Lets a few requests work in threads, and a few more wait.

    Args:
        workers: Requests that are worked on at once: while one is in the network, which takes all
            cores, another one may be decoded.
        waiting: Requests that may wait, or be on their way, besides.
        timeout: Seconds that one may wait.
    """

    def __init__(self, workers: int, waiting: int, timeout: float) -> None:
        self.inside = 0
        self._working = 0
        self._most = workers + waiting
        self._timeout = timeout
        self._turns = anyio.Semaphore(workers)

    @property
    def waiting(self) -> int:
        """Number of requests that wait for their turn, or are on their way."""
        return self.inside - self._working

    @property
    def is_full(self) -> bool:
        """True if the next request would be turned away."""
        return self.inside >= self._most

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place for the length of a `with` block, from before the body is read.

        Raises:
            HTTPException: All are taken.
        """
        if self.is_full:
            raise _busy(f"{self.inside} requests are waiting already: try again in a while")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def run(self, work: Callable[[], _Answer]) -> _Answer:
        """Run a function in a thread when it is its turn.

        Raises:
            HTTPException: Its turn did not come in time.
        """
        try:
            with anyio.fail_after(self._timeout):
                await self._turns.acquire()
        except TimeoutError as error:
            raise _busy(f"waited for {self._timeout:g} seconds: try again in a while") from error
        self._working += 1
        try:
            return await run_sync(work)
        finally:
            self._working -= 1
            self._turns.release()


def _busy(reason: str) -> HTTPException:
    return HTTPException(503, reason, {"Retry-After": "5"})
