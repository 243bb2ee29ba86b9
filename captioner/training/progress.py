"""Progress of `fit` on stderr."""

from typing import Any

import keras
from tqdm import tqdm


class ProgressBar(keras.callbacks.Callback):
    """A tqdm bar for each epoch; silent where stderr is no terminal."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the bar."""
        self.bar = tqdm(
            total=self.params["steps"], desc=f"epoch {epoch + 1}", unit="step", disable=None
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Shows the loss, the mean over the epoch so far."""
        self.bar.set_postfix(loss=f"{logs['loss']:.3f}" if logs else "", refresh=False)
        self.bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends the bar."""
        self.bar.close()
