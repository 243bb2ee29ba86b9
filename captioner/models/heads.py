"""Activity heads by name: an average, an LSTM, and a convolutional LSTM over the frames."""

from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.errors import CaptionerError
from captioner.models.activity import ActivityHead


class PooledHead(ActivityHead):
    """Base of heads that average the grid over large parts and normalise the clip.

    A subclass implements `read_row`, and creates its weights in `build_row_reader`.

    Args:
        places: Number of parts per side over which the grid is averaged; see `pool_grid`.
        hidden: Number of units of a layer between the parts of each frame and `read_row`; None
            for no such layer.
        kwargs: Arguments of `ActivityHead`.
    """

    def __init__(
        self, classes: int, places: int = 1, hidden: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(classes, **kwargs)
        self.places = places
        self.hidden = hidden
        policy = self.dtype_policy
        self.row_dropout = keras.layers.Dropout(self.dropout, dtype=policy, name="row_dropout")
        self.hidden_layer = (
            keras.layers.Dense(hidden, "relu", dtype=policy, name="hidden") if hidden else None
        )

    def build_row_reader(self, length: int) -> int:
        """Create the weights of `read_row` for rows of this length; return its output's length."""
        raise NotImplementedError

    def read_row(self, rows: Any, frame_mask: Any, training: bool) -> Any:
        """Turn rows (B, T, D) into inputs (B, T, E) of each step's classifier."""
        raise NotImplementedError

    def build_reader(self, height: int, width: int, channels: int) -> int:
        """See `ActivityHead`."""
        length = self.places**2 * channels
        if self.hidden_layer is not None:
            self.hidden_layer.build((None, None, length))
            length = self.hidden_layer.units
        return self.build_row_reader(length)

    def read(self, features: Any, frame_mask: Any, training: bool) -> Any:
        """See `ActivityHead`."""
        x = pool_grid(features, self.places)  # (B, T, G*G*C)
        weight = ops.expand_dims(ops.cast(frame_mask, x.dtype), -1)
        # Normalise the clip, not each frame, so that frames with little motion remain small.
        power = ops.sum(ops.square(x) * weight, axis=(1, 2), keepdims=True)
        size = x.shape[-1] * ops.sum(weight, axis=(1, 2), keepdims=True)
        x = self.row_dropout(x / ops.sqrt(power / size + 1e-6), training=training)
        if self.hidden_layer is not None:
            x = self.hidden_layer(x)
        return self.read_row(x, frame_mask, training)


class AveragingHead(PooledHead):
    """Head that classifies each single frame; the order of the frames does not matter.

    Source: the single-frame baseline of Donahue et al. 2015, section 4.1.

    Example:
        >>> import numpy as np
        >>> AveragingHead(classes=10)(np.zeros((2, 16, 7, 7, 512))).shape
        TensorShape([2, 10])
    """

    def build_row_reader(self, length: int) -> int:
        """See `PooledHead`."""
        return length

    def read_row(self, rows: Any, frame_mask: Any, training: bool) -> Any:
        """See `PooledHead`."""
        return rows


class LSTMHead(PooledHead):
    """Head that reads the frames in order with an LSTM and classifies at each step.

    Args:
        units: Number of units of the LSTM, or of each of the two if it is bidirectional.
        bidirectional: If True, a second LSTM reads the frames from the last to the first, so that
            each step sees the whole clip.
        kwargs: Arguments of `PooledHead`.

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


class ConvLSTMHead(ActivityHead):
    """Head that reads the grids of the frames with a ConvLSTM2D and classifies at each step.

    The mean and the maximum over the locations of its output are the input of the last layer, so
    that the position of the activity in the image does not matter.

    Args:
        filters: Number of channels of the ConvLSTM2D.
        kernel_size: Locations per side of its kernel.
        channels: Number of channels after the 1 x 1 convolution before it.
        kwargs: Arguments of `ActivityHead`.

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
        # Whole channels are dropped, because neighbouring locations and frames are alike.
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


def pool_grid(features: Any, places: int) -> Any:
    """Average the features of a grid over parts of equal size, and flatten them.

    A location on the border of two parts is divided in proportion to its overlap with each.

    Args:
        features: float (B, T, H, W, C).
        places: Number of parts per side, G; 1 is the mean over the whole frame.

    Returns:
        float (B, T, G * G * C).

    Example:
        >>> import numpy as np
        >>> pool_grid(np.arange(9.0).reshape(1, 1, 3, 3, 1), 1).shape
        TensorShape([1, 1, 1])
    """
    _, _, height, width, channels = features.shape
    rows, columns = (
        ops.convert_to_tensor(_overlaps(side, places), features.dtype) for side in (height, width)
    )
    x = ops.einsum("gh,bthwc->btgwc", rows, features)
    x = ops.einsum("gw,bthwc->bthgc", columns, x)  # (B, T, G, G, C)
    return ops.reshape(x, (*ops.shape(x)[:2], places * places * channels))


def _overlaps(side: int, places: int) -> np.ndarray:
    """Return the share of each location in each part, float32 (places, side), with sum 1."""
    edges = np.linspace(0, side, places + 1)
    starts, ends = edges[:-1, None], edges[1:, None]
    cells = np.arange(side)
    overlap = np.minimum(ends, cells + 1) - np.maximum(starts, cells)
    return (np.maximum(overlap, 0) * places / side).astype(np.float32)


_CLASSES: dict[str, type[ActivityHead]] = {
    "averaging": AveragingHead,
    "conv_lstm": ConvLSTMHead,
    "lstm": LSTMHead,
}


def build_head(name: str, features_shape: tuple[int, ...], **options: Any) -> ActivityHead:
    """Build a head with new weights.

    Args:
        name: "averaging", "lstm" or "conv_lstm".
        features_shape: Height, width and channels of the features of a frame.
        options: Arguments of the class, including `classes`.

    Raises:
        CaptionerError: If there is no such head, or it has no such option.

    Example:
        >>> build_head("lstm", (7, 7, 512), classes=10, units=8).units
        8
    """
    if name not in _CLASSES:
        raise CaptionerError(f"head {name!r}: choose one of {', '.join(_CLASSES)}")
    try:
        head = _CLASSES[name](**options)
    except (TypeError, ValueError) as error:
        raise CaptionerError(f"head {name}: {error}") from error
    head.build((None, None, *features_shape))
    return head
