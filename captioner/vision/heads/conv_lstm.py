"""A convolutional LSTM over the grids of the frames: it knows where something moves."""

from typing import Any

import keras
from keras import ops

from captioner.vision.heads.head import ActivityHead


@keras.saving.register_keras_serializable("captioner")
class ConvLSTMHead(ActivityHead):
    """Reads the grids of the frames with a ConvLSTM2D, and tells the label at each step.

    The mean and the largest value over the places of its output are the input of the last layer:
    what is done matters, not where in the picture.

    Args:
        filters: Channels of the ConvLSTM2D.
        kernel_size: Places a side that a step of it sees.
        channels: Features of each place after the 1 x 1 convolution before it.
        kwargs: Those of `ActivityHead`.

    Source: Shi et al. 2015, https://arxiv.org/abs/1506.04214.

    Example:
        >>> import numpy as np
        >>> head = ConvLSTMHead(classes=10, filters=4, channels=8)
        >>> head(np.zeros((2, 3, 7, 7, 512))).shape
        TensorShape([2, 10])
    """

    def __init__(
        self,
        classes: int,
        filters: int = 64,
        kernel_size: int = 3,
        channels: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(classes, **kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.channels = channels
        policy = self.dtype_policy
        # A whole channel is dropped or kept: places and frames next to each other are alike.
        self.channel_dropout = keras.layers.Dropout(
            self.dropout, noise_shape=(None, 1, 1, 1, None), dtype=policy, name="channel_dropout"
        )
        self.projection = keras.layers.Dense(channels, "relu", dtype=policy, name="projection")
        self.conv_lstm = keras.layers.ConvLSTM2D(
            filters,
            kernel_size,
            padding="same",
            return_sequences=True,
            dtype=policy,
            name="conv_lstm",
        )

    def build_reader(self, height: int, width: int, channels: int) -> int:
        """See `ActivityHead`."""
        self.projection.build((None, None, height, width, channels))
        self.conv_lstm.build((None, None, height, width, self.channels))
        return 2 * self.filters

    def read(self, features: Any, frame_mask: Any, training: bool) -> Any:
        """See `ActivityHead`."""
        x = self.projection(self.channel_dropout(features, training=training))
        x = self.conv_lstm(x, mask=frame_mask, training=training)  # (B, T, H, W, filters)
        return ops.concatenate([ops.mean(x, axis=(2, 3)), ops.max(x, axis=(2, 3))], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """What builds the same head, without its weights."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "channels": self.channels,
        }
