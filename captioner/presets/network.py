"""The networks of presets: construction with their weights, and capture of the weights."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from keras import ops

from captioner.errors import CaptionerError
from captioner.models.activity import ActivityRecognizer
from captioner.models.build import build_decoder
from captioner.models.decoder import Decoder
from captioner.models.heads import build_head
from captioner.models.vgg16 import FILTERS, FrozenBlocks, VGG16Encoder, trained_blocks
from captioner.presets.storage import Preset, naming, read_preset


def build_network(preset: Preset, policy: str = "float32") -> tuple[VGG16Encoder, Decoder]:
    """Build the network of a captioning preset, with its weights.

    Args:
        preset: Preset from `read_preset`.
        policy: Keras dtype policy of the computation.

    Raises:
        CaptionerError: If weights are missing or do not fit the config.
    """
    encoder = VGG16Encoder(**preset.config["encoder"], weights=None, dtype=policy)
    decoder = build_decoder(
        **preset.config["decoder"],
        channels=encoder.channels,
        vocabulary_size=len(preset.vocabulary),
        dtype=policy,
    )
    assign_weights(encoder, decoder, preset)
    return encoder, decoder


def build_vgg16(
    encoder: Mapping[str, Any], trainable_from: str | None = None, policy: str = "float32"
) -> VGG16Encoder:
    """Build VGG16 with the weights of ImageNet, of a file, or of a preset.

    Args:
        encoder: Options `weights` and `filters` of `VGG16Encoder`, or `preset`: the name or
            folder of a captioning preset whose VGG16 is used; default: the weights of ImageNet.
        trainable_from: See `VGG16Encoder`.
        policy: Keras dtype policy of the computation.

    Raises:
        CaptionerError: If the weights or the preset cannot be read.

    Example:
        >>> build_vgg16({"preset": "vgg16_top_down"}).trainable_variables
        []
    """
    options = {"weights": "imagenet", **encoder}
    taken = read_preset(options.pop("preset")) if "preset" in encoder else None
    if taken is not None:  # its weights are assigned below
        options |= {"weights": None, "filters": taken.config["encoder"].get("filters", FILTERS)}
    vgg16 = VGG16Encoder(**options, trainable_from=trainable_from, dtype=policy)
    if taken is not None:
        assign_encoder_weights(vgg16, taken)
    return vgg16


@dataclass(frozen=True)
class ActivityNetwork:
    """A network that labels clips, in two parts.

    Attributes:
        vgg16: Encoder whose blocks both parts share.
        frozen: Part that turns frames into features.
        recognizer: Part that predicts the probabilities of the labels from these features; it has
            all trained weights.
    """

    vgg16: VGG16Encoder
    frozen: FrozenBlocks
    recognizer: ActivityRecognizer


def build_activity_network(
    vgg16: VGG16Encoder, *, side: int, frames: int, head: Mapping[str, Any], classes: int
) -> ActivityNetwork:
    """Build a network that labels clips, with new weights except VGG16's.

    Args:
        vgg16: Encoder from `build_vgg16`.
        side: See `FrozenBlocks`.
        frames: Maximum number of frames in a clip.
        head: Options of the head, including `name`.
        classes: Number of labels.

    Raises:
        CaptionerError: If an option is wrong.
    """
    frozen = FrozenBlocks(vgg16, side)
    blocks = trained_blocks(vgg16, frozen)
    shape = (blocks or frozen).features_shape
    policy = vgg16.dtype_policy
    built = build_head(**head, features_shape=shape, classes=classes, dtype=policy)
    recognizer = ActivityRecognizer(built, blocks, max_frames=frames)
    recognizer.build(None)
    return ActivityNetwork(vgg16, frozen, recognizer)


def load_activity_network(preset: Preset, policy: str = "float32") -> ActivityNetwork:
    """Build the network of an activity preset, with its weights.

    Args:
        preset: Preset from `read_preset`.
        policy: Keras dtype policy of the computation.

    Raises:
        CaptionerError: If weights are missing or do not fit the config, or if VGG16 differs from
            the one in training.
    """
    with naming(preset.folder):
        return _load_activity_network(preset, policy)


def _load_activity_network(preset: Preset, policy: str) -> ActivityNetwork:
    config = preset.config
    own = {name for name in preset.weights if name.startswith("encoder/")}
    source = {k: v for k, v in config["encoder"].items() if k in ("preset", "weights")}
    options = {k: v for k, v in config["encoder"].items() if k != "fingerprint"}
    vgg16 = build_vgg16({"weights": None, **options}, config["trainable_from"], policy)
    if not source:  # the preset contains all blocks
        assign_encoder_weights(vgg16, preset)
    network = build_activity_network(
        vgg16,
        side=config["side"],
        frames=config["reading"]["frames"],
        head=config["head"],
        classes=len(preset.labels),
    )
    if network.frozen.fingerprint() != config["encoder"]["fingerprint"]:
        raise CaptionerError(
            f"VGG16 of {next(iter(source.values()), 'this preset')} is not the one that this "
            "preset was trained with: create a preset with the right one by `captioner export "
            "PRESET --format preset --weights FILE --out FOLDER`, or train again"
        )
    variables = named_activity_variables(network.recognizer)
    kept = {n: a for n, a in preset.weights.items() if n not in own or n in variables}
    _assign(variables, kept)
    return network


def hold_vgg16(preset: Preset, weights: str | None = None) -> Preset:
    """Make an activity preset self-contained, with all blocks of its VGG16.

    Args:
        preset: Preset from `read_preset`.
        weights: File of the VGG16 that it was trained with; None for the one in its config.

    Raises:
        CaptionerError: If the VGG16 is missing, or is not the one in training.
    """
    encoder = preset.config["encoder"]
    known = {k: v for k, v in encoder.items() if k not in ("preset", "weights")}
    source = {**known, "weights": weights} if weights else encoder
    network = load_activity_network(replace(preset, config={**preset.config, "encoder": source}))
    return replace(
        preset,
        config={**preset.config, "encoder": known},
        weights=capture_activity_weights(network, whole=True),
    )


def assign_weights(encoder: VGG16Encoder, decoder: Decoder, preset: Preset) -> None:
    """Copy a preset's weights into an existing network."""
    _check_encoder(preset)
    _assign(named_variables(encoder, decoder), preset.weights)


def assign_encoder_weights(encoder: VGG16Encoder, preset: Preset) -> None:
    """Copy the weights of a preset's encoder into an existing encoder."""
    _check_encoder(preset)
    weights = {k: v for k, v in preset.weights.items() if k.startswith("encoder/")}
    _assign(_named("encoder", encoder), weights)


def assign_presence_weights(decoder: Decoder, preset: Preset) -> None:
    """Copy the word detector of a preset's decoder into another decoder that has one."""
    variables = _named("decoder", decoder.presence)
    _assign(variables, {name: preset.weights[name] for name in variables})


def assign_head_weights(recognizer: ActivityRecognizer, preset: Preset) -> None:
    """Copy the head of an activity preset into another head of the same kind."""
    weights = {k: v for k, v in preset.weights.items() if k.startswith("head/")}
    variables = named_activity_variables(recognizer)
    _assign({k: v for k, v in variables.items() if k.startswith("head/")}, weights)


def has_encoder_of(preset: Preset, encoder: VGG16Encoder) -> bool:
    """Return whether an encoder equals that of a preset, up to the rounding of the weights."""
    return preset.config["encoder"].get("grid") == encoder.grid and all(
        name in preset.weights
        and np.array_equal(
            ops.convert_to_numpy(variable.value).astype(preset.weights[name].dtype),
            preset.weights[name],
        )
        for name, variable in _named("encoder", encoder).items()
    )


def capture_weights(
    encoder: VGG16Encoder, decoder: Decoder, dtype: str = "float16"
) -> dict[str, np.ndarray]:
    """Return the weights of a captioning network by name, as in a preset."""
    return _capture(named_variables(encoder, decoder), dtype)


def capture_activity_weights(network: ActivityNetwork, whole: bool) -> dict[str, np.ndarray]:
    """Return the weights of an activity network by name, as in a preset.

    Args:
        network: Network that labels clips.
        whole: If True, return all blocks of VGG16, not only the trained ones.
    """
    frozen = _named("encoder", network.vgg16) if whole else {}
    return _capture({**frozen, **named_activity_variables(network.recognizer)}, "float16")


def _capture(variables: Mapping[str, Any], dtype: str) -> dict[str, np.ndarray]:
    return {
        name: np.ascontiguousarray(ops.convert_to_numpy(variable.value).astype(dtype))
        for name, variable in variables.items()
    }


def named_variables(encoder: VGG16Encoder, decoder: Decoder) -> dict[str, Any]:
    """Return the Keras variables of encoder and decoder by their names in presets."""
    return {**_named("encoder", encoder), **_named("decoder", decoder)}


def named_activity_variables(recognizer: ActivityRecognizer) -> dict[str, Any]:
    """Return the Keras variables of an activity recognizer by their names in presets."""
    # The first part of a path, "lstm_head_1", depends on the other layers in the process.
    head = {"head/" + v.path.partition("/")[2]: v for v in recognizer.head.weights}
    return head if recognizer.encoder is None else {**head, **_named("encoder", recognizer.encoder)}


def _named(part: str, layer: Any) -> dict[str, Any]:
    # Keras numbers a second layer of the same name ("top_down_1/key/kernel"), so full paths depend
    # on the other layers in the process; the last two parts do not.
    return {f"{part}/" + "/".join(w.path.split("/")[-2:]): w for w in layer.weights}


def _check_encoder(preset: Preset) -> None:
    if not any(name.startswith("encoder/") for name in preset.weights):
        raise CaptionerError(
            "this preset's VGG16 has 8 bits, which only OpenVINO can run: leave --engine out, or "
            "use the original preset"
        )


def _assign(variables: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> None:
    if variables.keys() != weights.keys():
        wrong = sorted(variables.keys() ^ weights.keys())
        raise CaptionerError(f"preset weights and config do not fit: {', '.join(wrong[:5])}")
    for name, variable in variables.items():
        array = weights[name]
        if array.shape != tuple(variable.shape):
            raise CaptionerError(
                f"preset weight {name} has shape {array.shape}, but its config needs "
                f"{tuple(variable.shape)}"
            )
        variable.assign(array.astype(np.float32))
