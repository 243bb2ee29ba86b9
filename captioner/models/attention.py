"""The common base of decoders with attention over the locations of all frames."""

from typing import Any

from keras import ops

from captioner.models.decoder import Decoder

# Added to the scores of padding frames: far below any score, and finite in bfloat16.
MASK_VALUE = -1e9


def compress(features: Any) -> Any:
    """Return log(1 + x), float32: VGG16's features are not negative, but a few are very large."""
    return ops.log(1 + ops.cast(features, "float32"))  # ONNX has no log1p


def flatten_locations(features: Any, frame_mask: Any) -> tuple[Any, Any]:
    """Concatenate the locations of all frames.

    Args:
        features: float (B, T, P, C).
        frame_mask: bool (B, T), False for padding frames, or None if there are none.

    Returns:
        Compressed features, float32 (B, T*P, C), and bool (B, T, P), False in padding frames.
    """
    batch, frames, locations, channels = ops.shape(features)
    if frame_mask is None:
        frame_mask = ops.ones((batch, frames), "bool")
    mask = ops.repeat(ops.expand_dims(frame_mask, -1), locations, axis=-1)  # (B, T, P)
    return compress(ops.reshape(features, (batch, frames * locations, channels))), mask


def mean_location(values: Any, mask: Any) -> Any:
    """Return the mean (B, C) of the locations (B, T*P, C) for which `mask` (B, T, P) is true."""
    weight = ops.cast(ops.reshape(mask, (*ops.shape(values)[:2], 1)), values.dtype)
    # Without any image, as for training on sentences only, the mean is zero.
    return ops.sum(values * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1)


def mean_feature(features: Any, frame_mask: Any) -> Any:
    """Average the compressed features over all locations of all frames without padding.

    Args:
        features: float (B, T, P, C).
        frame_mask: bool (B, T) or None.

    Returns:
        float32 (B, C).
    """
    values = ops.mean(compress(features), axis=2)  # (B, T, C)
    if frame_mask is None:
        return ops.mean(values, axis=1)
    weight = ops.cast(frame_mask, "float32")  # (B, T)
    total = ops.einsum("btc,bt->bc", values, weight)
    return total / ops.sum(weight, axis=1, keepdims=True)


class AttentiveDecoder(Decoder):
    """Decoder that attends to the locations of a clip for each word.

    A subclass creates the layer `key`, and compares its LSTM's query with the keys.

    Args:
        vocabulary_size: See `Decoder`.
        kwargs: Arguments of `Decoder`.
    """

    key: Any

    def __init__(self, vocabulary_size: int, **kwargs: Any) -> None:
        super().__init__(vocabulary_size, **kwargs)
        self.normalization = self.norm("normalization")
        self.feature_dropout = self.drop("feature_dropout")

    def encode(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See `Decoder`: keys, values and their mean over all locations of all frames."""
        values, mask = flatten_locations(features, frame_mask)
        values = self.feature_dropout(self.normalization(values), training=training)
        return {
            "keys": self.key(values),  # (B, T*P, A)
            "values": values,  # (B, T*P, C)
            "mean": mean_location(values, mask),  # (B, C)
            "bias": ops.where(mask, 0.0, MASK_VALUE),  # (B, T, P)
        }

    def attend(self, scores: Any, memory: Any) -> tuple[Any, Any]:
        """Weigh the locations.

        Args:
            scores: float (B, N, T*P), the score of each location.
            memory: Memory from `encode`.

        Returns:
            The context vector (B, N, C), and the attention (B, N, T, P), which sums to 1.
        """
        _, frames, locations = ops.shape(memory["bias"])
        bias = ops.reshape(memory["bias"], (-1, 1, frames * locations))
        attention = ops.softmax(ops.cast(scores, "float32") + bias)  # (B, N, T*P)
        values = memory["values"]
        context = ops.einsum("bnp,bpc->bnc", ops.cast(attention, values.dtype), values)
        return context, ops.reshape(attention, (-1, ops.shape(scores)[1], frames, locations))
