"""What decoders with attention over the locations of all frames have in common."""

from typing import Any

from keras import ops

from captioner.decoders.decoder import Decoder
from captioner.decoders.locations import MASK_VALUE, flatten_locations, mean_location


class AttentiveDecoder(Decoder):
    """A decoder that weighs the locations of a clip anew for each word.

    A subclass makes the layer `key`, and compares what its LSTM asks for with the keys.

    Args:
        vocabulary_size: See `Decoder`.
        kwargs: Those of `Decoder`.
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
            scores: float (B, N, T*P), how well each location answers.
            memory: As `encode` gives it.

        Returns:
            The context vector (B, N, C), and the attention (B, N, T, P), which sums to 1.
        """
        _, frames, locations = ops.shape(memory["bias"])
        bias = ops.reshape(memory["bias"], (-1, 1, frames * locations))
        attention = ops.softmax(ops.cast(scores, "float32") + bias)  # (B, N, T*P)
        values = memory["values"]
        context = ops.einsum("bnp,bpc->bnc", ops.cast(attention, values.dtype), values)
        return context, ops.reshape(attention, (-1, ops.shape(scores)[1], frames, locations))
