"""A VGG16 of few channels with random weights, as a weight file."""

import keras
import numpy as np

from captioner.models.vgg16 import VGG16Encoder


def save_toy_vgg16(path, filters, rng):
    """Save random weights of a VGG16 of these channels, which depend on `rng`."""
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None, filters=filters, dtype="float32")
    for layer in encoder.backbone.layers[1:]:
        # Keras' own first weights let the signal die out over sixteen layers (He et al. 2015).
        for kernel in layer.weights[:1]:
            kernel.assign(rng.normal(0, (2 / np.prod(kernel.shape[:3])) ** 0.5, kernel.shape))
    encoder.backbone.save_weights(path)
