"""What keeps a data set that depends on the weights in step with the training that changes them."""

import threading
from collections.abc import Callable
from typing import Any

import keras


class Lockstep(keras.callbacks.Callback):
    """Lets a batch be made when the steps before it are done, with the weights that they left.

    On TensorFlow, Keras reads batches ahead in a thread of its own, even those of the next epoch.
    That thread waits here. On JAX and PyTorch the thread that trains asks for its next batch
    itself, and is never made to wait for itself. There a batch comes in time, too, but Keras' JAX
    trainer asks one step early on GPUs, and before Keras 3.15 everywhere: such a batch is made with
    weights one step old.

    Args:
        before_step: Called before each step, while the network still has its weights: Keras' JAX
            trainer takes them out of it before it asks for the step's batch.
        after_training: Called when training ends or breaks off.
    """

    def __init__(self, before_step: Callable[[], None], after_training: Callable[[], None]) -> None:
        super().__init__()
        self._before_step = before_step
        self._after_training = after_training
        # None outside of training: Keras looks at some batches for their shapes before it begins.
        self._steps: int | None = None
        self._trainer: int | None = None
        self._changed = threading.Condition()

    def wait_for(self, step: int) -> None:
        """Returns when training is at that step of its epoch, counted from 0, or is over."""
        if threading.get_ident() == self._trainer:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._steps in (None, step))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called by `fit`, as the rest."""
        self._trainer = threading.get_ident()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        self._steps_are(0)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        _ = self.model  # Keras gives the network its weights back when a callback asks for it
        self._before_step()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        self._steps_are(batch + 1)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """See the class."""
        self.close()

    def close(self) -> None:
        """Lets a reader that waits go on."""
        self._trainer = None
        self._after_training()
        self._steps_are(None)

    def _steps_are(self, steps: int | None) -> None:
        with self._changed:
            self._steps = steps
            self._changed.notify_all()
