"""The network of an activity preset, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from captioner.errors import CaptionerError
from captioner.presets.activity import ActivityPreset
from captioner.presets.storage import naming
from captioner.presets.vgg16 import build_vgg16
from captioner.vision.activity_recognizer import ActivityRecognizer
from captioner.vision.frozen_blocks import FrozenBlocks, trained_blocks
from captioner.vision.heads.build import build_head


@dataclass(frozen=True)
class ActivityNetwork:
    """A recognizer in two parts.

    Attributes:
        frozen: Makes features of frames.
        recognizer: Tells the probabilities of the labels from these features; all that training
            changes is in it.
    """

    frozen: FrozenBlocks
    recognizer: ActivityRecognizer


def build_activity_network(
    *,
    encoder: dict[str, Any],
    trainable_from: str | None,
    side: int,
    frames: int,
    head: dict[str, Any],
    classes: int,
    policy: str = "float32",
) -> ActivityNetwork:
    """Builds a network with fresh weights, but for VGG16's.

    Args:
        encoder: As `build_vgg16` takes it.
        trainable_from: As `VGG16Encoder` takes it.
        side: As `FrozenBlocks` takes it.
        frames: Of a clip, at most.
        head: `name` and the options of the head.
        classes: Number of labels.
        policy: The Keras dtype policy to compute in.

    Raises:
        CaptionerError: If weights cannot be read, or an option is wrong.
    """
    vgg16 = build_vgg16(encoder, trainable_from, policy)
    frozen = FrozenBlocks(vgg16, side)
    blocks = trained_blocks(vgg16, frozen)
    shape = (blocks or frozen).features_shape
    built = build_head(**head, features_shape=shape, classes=classes, dtype=policy)
    recognizer = ActivityRecognizer(built, blocks, max_frames=frames)
    recognizer.build(None)
    return ActivityNetwork(frozen, recognizer)


def load_activity_network(
    preset: ActivityPreset, policy: str = "float32", weights: str | None = None
) -> ActivityNetwork:
    """Builds the network of a preset with its weights.

    Args:
        preset: As `read_activity_preset` gives it.
        policy: The Keras dtype policy to compute in.
        weights: A file of the VGG16 that the preset was trained with, in place of the one that it
            names.

    Raises:
        CaptionerError: If weights are missing, do not fit the config, or are not those of the
            training.
    """
    with naming(preset.folder):
        return _load_network(preset, policy, weights)


def _load_network(preset: ActivityPreset, policy: str, weights: str | None) -> ActivityNetwork:
    config = preset.config
    encoder = {k: v for k, v in config["encoder"].items() if k != "fingerprint"}
    network = build_activity_network(
        encoder={"weights": weights} if weights else encoder,
        trainable_from=config["trainable_from"],
        side=config["side"],
        frames=config["reading"]["frames"],
        head=config["head"],
        classes=len(preset.labels),
        policy=policy,
    )
    if network.frozen.fingerprint() != config["encoder"]["fingerprint"]:
        raise CaptionerError(
            f"VGG16 of {weights or next(iter(encoder.values()), 'imagenet')} is not the one that "
            "this activity preset was trained with: name its file with --weights, or train anew"
        )
    assign_activity_weights(named_weights(network.recognizer), preset.weights)
    return network


def assign_activity_weights(variables: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    """Copies weights of a preset into variables of the same names.

    Raises:
        CaptionerError: If names or shapes differ.
    """
    if variables.keys() != weights.keys():
        wrong = sorted(variables.keys() ^ weights.keys())
        raise CaptionerError(f"preset weights and config do not fit: {', '.join(wrong[:5])}")
    for name, variable in variables.items():
        if weights[name].shape != tuple(variable.shape):
            raise CaptionerError(f"preset weight {name} does not fit the config")
        variable.assign(weights[name].astype(np.float32))


def capture_activity_weights(recognizer: ActivityRecognizer) -> dict[str, np.ndarray]:
    """The weights by name, float16, as a preset holds them."""
    return {
        name: np.ascontiguousarray(ops.convert_to_numpy(variable.value).astype(np.float16))
        for name, variable in named_weights(recognizer).items()
    }


def named_weights(recognizer: ActivityRecognizer) -> dict[str, Any]:
    """The Keras variables by the names that presets give them."""
    # The first part of a path, "lstm_head_1", depends on what else was built.
    head = {"head/" + v.path.partition("/")[2]: v for v in recognizer.head.weights}
    if recognizer.encoder is None:
        return head
    blocks = recognizer.encoder.weights
    return {**head, **{"encoder/" + "/".join(v.path.split("/")[-2:]): v for v in blocks}}
