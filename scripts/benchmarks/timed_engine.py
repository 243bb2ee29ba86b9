"""How long the network is at work."""

import time
from collections.abc import Callable
from typing import Any

from captioner.engines.engine import Engine


class TimedEngine(Engine):
    """An engine that counts the seconds in which it is at work.

    Args:
        engine: The one that does the work.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.image_size = engine.image_size
        self.seconds = 0.0
        self.encode, self.begin, self.step, self.select = (
            self._timed(method)
            for method in (engine.encode, engine.begin, engine.step, engine.select)
        )

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.seconds += time.perf_counter() - start

        return timed
