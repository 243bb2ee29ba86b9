"""The VGG16 that an activity preset or config names: of ImageNet, a file, or a captioner."""

from typing import Any

import numpy as np

from captioner.errors import CaptionerError
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
        >>> build_vgg16({"preset": "vgg16_top_down_flickr8k"}).trainable_variables
        []
    """
    if "preset" not in encoder:
        weights = encoder.get("weights", "imagenet")
        return VGG16Encoder(weights=weights, trainable_from=trainable_from, dtype=policy)
    weights = read_preset(encoder["preset"]).weights
    vgg16 = VGG16Encoder(weights=None, trainable_from=trainable_from, dtype=policy)
    for variable in vgg16.backbone.variables:
        name = "encoder/" + "/".join(variable.path.split("/")[-2:])
        if name not in weights:
            raise CaptionerError(f"preset {encoder['preset']} has no {name}: it has no VGG16")
        variable.assign(weights[name].astype(np.float32))
    return vgg16
