"""Encoder and decoder as the one Keras model that is trained, with the teachers of a student."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from captioner.decoders.decoder import Decoder
from captioner.errors import CaptionerError
from captioner.presets.network import build_network, has_encoder_of
from captioner.presets.storage import preset_folder, read_preset
from captioner.text.vocabulary import Vocabulary
from captioner.vision.encoder import VGG16Encoder


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
        teachers: "Teachers | None" = None,
        distillation: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.teachers = teachers
        self.distillation = distillation
        self.built = True

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile, and build what `fit` would build by a look at the first batch.

        On JAX and PyTorch the batches that Keras reads ahead behind it would be trained on first.
        """
        super().compile(*args, **kwargs)
        logits = ops.zeros((1, 1, 1, self.decoder.vocabulary_size))
        self.compute_loss(y=ops.zeros((1, 1, 1), "int32"), y_pred=logits)

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


class Teachers(keras.layers.Layer):
    """The mean of the probabilities that several decoders give each next word; never trained.

    Args:
        decoders: Built decoders, all for the features that the pupil reads and for its words.

    Call arguments:
        features: float (B, T, P, C).
        token_ids: int (B, N, L), as for `Decoder`.
        frame_mask: bool (B, T) or None.

    Returns:
        Probabilities, float32 (B, N, L, V).

    Source: Hinton et al. 2015, https://arxiv.org/abs/1503.02531; word by word Kim and Rush 2016,
        https://arxiv.org/abs/1606.07947, section 3.1.
    """

    def __init__(self, decoders: Sequence[Decoder], **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.decoders = list(decoders)
        for decoder in self.decoders:
            decoder.trainable = False
        self.built = True

    def call(self, features: Any, token_ids: Any, frame_mask: Any = None) -> Any:
        """See the class."""
        told = [
            ops.softmax(decoder(features, token_ids, frame_mask=frame_mask, training=False))
            for decoder in self.decoders
        ]
        return ops.stop_gradient(sum(told[1:], start=told[0]) / len(told))


def read_teachers(
    names: Sequence[str], encoder: VGG16Encoder, vocabulary: Vocabulary, policy: str
) -> Teachers:
    """Read the presets that shall teach.

    Args:
        names: Names or folders of presets.
        encoder: The pupil's; theirs must be equal to it, since they read the same stored features.
        vocabulary: The pupil's, which must be theirs.
        policy: The Keras dtype policy.

    Raises:
        CaptionerError: If a preset cannot be read, or does not fit the pupil.
    """
    decoders = []
    for name in names:
        preset = read_preset(preset_folder(name))
        if preset.vocabulary != vocabulary:
            raise CaptionerError(
                f"{name} cannot teach here: its words are not those of this data set; name a "
                "preset that was trained on the same captions with the same min_count"
            )
        if not has_encoder_of(preset, encoder):
            raise CaptionerError(
                f"{name} cannot teach here: its VGG16 is not the one that this training's features "
                "come from; give this training its encoder by `encoder: {preset: NAME}`, or name "
                "another preset"
            )
        decoders.append(build_network(preset, policy)[1])
    return Teachers(decoders)
