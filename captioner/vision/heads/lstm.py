"""An LSTM over the frames: the activity recognition of LRCN."""

from typing import Any

import keras

from captioner.vision.heads.pooled_head import PooledHead


@keras.saving.register_keras_serializable("captioner")
class LSTMHead(PooledHead):
    """Reads the frames in their order with an LSTM, and tells the label at each step.

    Args:
        units: Of the LSTM, or of each of the two if it is bidirectional.
        bidirectional: Whether a second LSTM reads the frames from the last to the first, so that
            each step knows the whole clip.
        kwargs: Those of `PooledHead`.

    Source: Donahue et al. 2015, https://arxiv.org/abs/1411.4389, section 4.1.

    Example:
        >>> import numpy as np
        >>> LSTMHead(classes=10, units=8)(np.zeros((2, 16, 7, 7, 512))).shape
        TensorShape([2, 10])
    """

    def __init__(
        self, classes: int, units: int = 256, bidirectional: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(classes, **kwargs)
        self.units = units
        self.bidirectional = bidirectional
        policy = self.dtype_policy
        lstm = keras.layers.LSTM(units, return_sequences=True, dtype=policy, name="lstm")
        self.lstm = (
            keras.layers.Bidirectional(lstm, dtype=policy, name="bidirectional")
            if bidirectional
            else lstm
        )

    def build_row_reader(self, length: int) -> int:
        """See `PooledHead`."""
        self.lstm.build((None, None, length))
        return self.units * (1 + self.bidirectional)

    def read_row(self, rows: Any, frame_mask: Any, training: bool) -> Any:
        """See `PooledHead`."""
        return self.lstm(rows, mask=frame_mask, training=training)

    def get_config(self) -> dict[str, Any]:
        """What builds the same head, without its weights."""
        return {
            **super().get_config(),
            "units": self.units,
            "bidirectional": self.bidirectional,
        }
