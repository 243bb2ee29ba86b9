"""The exponential moving average of the weights, in their place between epochs."""

from typing import Any

import keras


class AverageWeights(keras.callbacks.SwapEMAWeights):
    """Puts the average into the network after each epoch, and the weights back before the next.

    It must come before the callbacks that score and save. A checkpoint that is written in between
    holds the average as the network's weights, and the weights among the optimizer's variables.

    Args:
        resumed: Whether the training goes on from such a checkpoint.
    """

    def __init__(self, resumed: bool) -> None:
        super().__init__(swap_on_epoch=True)
        self._ema_weights_in_model = resumed

    def _finalize_ema_values(self) -> None:
        """Keras would overwrite the weights after the last epoch; a longer training needs them."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Nothing: what counts is on disk."""
