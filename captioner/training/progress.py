"""How far an epoch is: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import Any

import keras
from tqdm import tqdm

_EVERY = 120  # seconds between lines where there is no terminal


class Progress(keras.callbacks.Callback):
    """Shows the steps of each epoch with their mean loss, and the time that is left.

    Args:
        report: Called with a line of text every two minutes where standard error is no terminal, so
            that the log of a training in the background tells how far it is.
        clock: Seconds that only grow.
    """

    def __init__(
        self, report: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._report = report
        self._clock = clock
        self._terminal = sys.stderr.isatty()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin the epoch's bar."""
        self._epoch = epoch + 1
        self._bar = tqdm(
            total=self.params["steps"], desc=f"epoch {self._epoch}", unit="step", disable=None
        )
        self._began = self._said = self._clock()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count a step."""
        self._bar.set_postfix(loss=f"{(logs or {})['loss']:.3f}", refresh=False)
        self._bar.update()
        now = self._clock()
        steps = self.params["steps"]
        if self._terminal or now - self._said < _EVERY or batch + 1 == steps:
            return
        self._said = now
        pace = (now - self._began) / (batch + 1)
        left = pace * (steps * (self.params["epochs"] - self._epoch + 1) - batch - 1)
        self._report(
            f"epoch {self._epoch}: step {batch + 1} of {steps}, loss {(logs or {})['loss']:.3f}, "
            f"{pace:.2f} s a step, about {left / 60:.0f} min left in this stage"
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """End the epoch's bar."""
        self._bar.close()
