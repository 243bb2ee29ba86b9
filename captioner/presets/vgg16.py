"""The VGG16 that an activity preset or config names: of ImageNet, a file, or a captioner."""

from typing import Any

from captioner.presets.network import assign_encoder_weights
from captioner.presets.storage import read_preset
from captioner.vision.encoder import VGG16Encoder


def build_vgg16(
    encoder: dict[str, Any], trainable_from: str | None = None, policy: str = "float32"
) -> VGG16Encoder:
    """Builds VGG16 with its weights.

    Args:
        encoder: `weights` as `VGG16Encoder` takes them, or `preset`: the name or folder of a
            captioner, whose VGG16 is taken; by default the weights of ImageNet.
        trainable_from: As `VGG16Encoder` takes it.
        policy: The Keras dtype policy to compute in.

    Raises:
        CaptionerError: If the weights or the preset cannot be read.

    Example:
        >>> build_vgg16({"preset": "vgg16_top_down"}).trainable_variables
        []
    """
    if "preset" not in encoder:
        weights = encoder.get("weights", "imagenet")
        return VGG16Encoder(weights=weights, trainable_from=trainable_from, dtype=policy)
    vgg16 = VGG16Encoder(weights=None, trainable_from=trainable_from, dtype=policy)
    assign_encoder_weights(vgg16, read_preset(encoder["preset"]))
    return vgg16
