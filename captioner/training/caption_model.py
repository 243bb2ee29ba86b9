"""Encoder and decoder as the one Keras model that `fit` trains."""

from typing import Any

import keras

from captioner.decoders.decoder import Decoder


class CaptionModel(keras.Model):
    """Predicts each next word of known captions, from pictures or from their features.

    Args:
        encoder: A `VGG16Encoder`. It is used, and trained, when the input has pictures.
        decoder: A built `Decoder`.

    Call arguments:
        inputs: dict of `token_ids` int (B, N, L), either `features` float (B, T, P, C) or `images`
            uint8 (B, T, H, W, 3), and, where there are padding frames, `frame_mask` bool (B, T).

    Returns:
        Logits, float32 (B, N, L, V).
    """

    def __init__(self, encoder: Any, decoder: Decoder, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder

    def build(self, input_shape: Any) -> None:
        """Nothing is left to create: both parts are built."""
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool = False) -> Any:
        """See the class."""
        features = inputs["features"] if "features" in inputs else self.encoder(inputs["images"])
        return self.decoder(
            features, inputs["token_ids"], frame_mask=inputs.get("frame_mask"), training=training
        )
