"""Trained captioners that teach another one: their probabilities of each word, as its target."""

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
    """Reads the presets that shall teach.

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
