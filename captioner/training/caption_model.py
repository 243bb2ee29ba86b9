"""Encoder and decoder as the one Keras model that `fit` trains."""

from typing import Any

import keras
from keras import ops

from captioner.decoders.decoder import Decoder
from captioner.text.vocabulary import Vocabulary
from captioner.training.teachers import Teachers


class CaptionModel(keras.Model):
    """Predicts each next word of known captions, from pictures or from their features.

    Args:
        encoder: A `VGG16Encoder`. It is used, and trained, when the input has pictures.
        decoder: A built `Decoder`.
        teachers: The `Teachers` whose probabilities are learnt from beside the captions, or None.
        distillation: Weight of the cross entropy against the teachers, which is added to the
            losses; that against the captions is the compiled loss, and should weigh the rest.

    Call arguments:
        inputs: dict of `token_ids` int (B, N, L), either `features` float (B, T, P, C) or `images`
            uint8 (B, T, H, W, 3), and, where there are padding frames, `frame_mask` bool (B, T);
            `presence` float (B, W) for a decoder that is told which words an image has.

    Returns:
        Logits, float32 (B, N, L, V).
    """

    def __init__(
        self,
        encoder: Any,
        decoder: Decoder,
        teachers: Teachers | None = None,
        distillation: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.teachers = teachers
        self.distillation = distillation
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool = False) -> Any:
        """See the class."""
        features = inputs["features"] if "features" in inputs else self.encoder(inputs["images"])
        token_ids, frame_mask = inputs["token_ids"], inputs.get("frame_mask")
        told = {"presence": inputs["presence"]} if "presence" in inputs else {}
        logits = self.decoder(features, token_ids, frame_mask=frame_mask, training=training, **told)
        if training and self.teachers is not None:
            taught = self.teachers(features, token_ids, frame_mask=frame_mask)
            self.add_loss(self.distillation * _cross_entropy(taught, logits, token_ids))
        return logits


def _cross_entropy(told: Any, logits: Any, token_ids: Any) -> Any:
    """Of probabilities and logits (B, N, L, V); the mean over the words read, int (B, N, L)."""
    real = ops.cast(token_ids != Vocabulary.pad_id, "float32")
    terms = ops.logsumexp(logits, axis=-1) - ops.sum(told * logits, axis=-1)  # (B, N, L)
    return ops.sum(real * terms) / ops.sum(real)
