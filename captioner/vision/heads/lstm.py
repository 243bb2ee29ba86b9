"""An LSTM over the frames: the activity recognition of LRCN."""

from typing import Any

import keras

from captioner.vision.heads.head import ActivityHead
from captioner.vision.heads.pooling import pool_grid


@keras.saving.register_keras_serializable("captioner")
class LSTMHead(ActivityHead):
    """Reads the frames in their order with an LSTM, and tells the label at each step.

    Args:
        units: Of the LSTM, or of each of the two if it is bidirectional.
        bidirectional: Whether a second LSTM reads the frames from the last to the first, so that
            each step knows the whole clip.
        places: Parts a side in which the grid is averaged; see `pool_grid`.
        kwargs: Those of `ActivityHead`.

    Source: Donahue et al. 2015, https://arxiv.org/abs/1411.4389, section 4.1.

    Example:
        >>> import numpy as np
        >>> LSTMHead(classes=10, units=8)(np.zeros((2, 16, 7, 7, 512))).shape
        TensorShape([2, 10])
    """

    def __init__(
        self,
        classes: int,
        units: int = 256,
        bidirectional: bool = False,
        places: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(classes, **kwargs)
        self.units = units
        self.bidirectional = bidirectional
        self.places = places
        lstm = keras.layers.LSTM(units, return_sequences=True, dtype=self.dtype_policy, name="lstm")
        self.lstm = (
            keras.layers.Bidirectional(lstm, dtype=self.dtype_policy, name="bidirectional")
            if bidirectional
            else lstm
        )

    def build_reader(self, height: int, width: int, channels: int) -> int:
        """See `ActivityHead`."""
        self.lstm.build((None, None, self.places**2 * channels))
        return self.units * (1 + self.bidirectional)

    def read(self, features: Any, frame_mask: Any, training: bool) -> Any:
        """See `ActivityHead`."""
        return self.lstm(pool_grid(features, self.places), mask=frame_mask, training=training)

    def get_config(self) -> dict[str, Any]:
        """What builds the same head, without its weights."""
        return {
            **super().get_config(),
            "units": self.units,
            "bidirectional": self.bidirectional,
            "places": self.places,
        }
