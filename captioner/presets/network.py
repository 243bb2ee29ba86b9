"""Encoder and decoder made of a preset, and back."""

from typing import Any

import numpy as np
from keras import ops

from captioner.decoders.build import build_decoder
from captioner.decoders.decoder import Decoder
from captioner.errors import CaptionerError
from captioner.presets.storage import Preset
from captioner.vision.encoder import VGG16Encoder


def build_network(preset: Preset, policy: str = "float32") -> tuple[VGG16Encoder, Decoder]:
    """Builds the network of a preset with its weights.

    Args:
        preset: As `read_preset` gives it.
        policy: The Keras dtype policy to compute in.

    Raises:
        CaptionerError: If weights are missing or do not fit the config.
    """
    encoder = VGG16Encoder(grid=preset.config["encoder"]["grid"], weights=None, dtype=policy)
    decoder = build_decoder(
        **preset.config["decoder"],
        channels=encoder.channels,
        vocabulary_size=len(preset.vocabulary),
        dtype=policy,
    )
    assign_weights(encoder, decoder, preset)
    return encoder, decoder


def assign_weights(encoder: VGG16Encoder, decoder: Decoder, preset: Preset) -> None:
    """Copies a preset's weights into a network that is already there."""
    _assign(named_variables(encoder, decoder), preset.weights)


def assign_encoder_weights(encoder: VGG16Encoder, preset: Preset) -> None:
    """Copies the weights of a preset's encoder into one that is already there."""
    variables = _named_weights("encoder", encoder)
    _assign(variables, {k: v for k, v in preset.weights.items() if k.startswith("encoder/")})


def assign_presence_weights(decoder: Decoder, preset: Preset) -> None:
    """Copy the detector of words of a preset's decoder into another decoder that has one."""
    variables = _named_weights("decoder", decoder.presence)
    _assign_some(variables, {name: preset.weights[name] for name in variables})


def has_encoder_of(preset: Preset, encoder: VGG16Encoder) -> bool:
    """Whether an encoder is that of a preset, but for the rounding of the preset's weights."""
    variables = _named_weights("encoder", encoder)
    return preset.config["encoder"].get("grid") == encoder.grid and all(
        name in preset.weights
        and np.array_equal(
            ops.convert_to_numpy(variable.value).astype(preset.weights[name].dtype),
            preset.weights[name],
        )
        for name, variable in variables.items()
    )


def _assign(variables: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    if not any(name.startswith("encoder/") for name in weights):
        raise CaptionerError(
            "this preset's VGG16 has 8 bits, which OpenVINO alone can run: leave --engine out, or "
            "take the preset that it was made of"
        )
    _assign_some(variables, weights)


def _assign_some(variables: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    if variables.keys() != weights.keys():
        wrong = sorted(variables.keys() ^ weights.keys())
        raise CaptionerError(f"preset weights and config do not fit: {', '.join(wrong[:5])}")
    for name, variable in variables.items():
        array = weights[name]
        if array.shape != tuple(variable.shape):
            raise CaptionerError(
                f"preset weight {name} has shape {array.shape}, its config asks for "
                f"{tuple(variable.shape)}"
            )
        variable.assign(array.astype(np.float32))


def capture_weights(
    encoder: VGG16Encoder, decoder: Decoder, dtype: str = "float16"
) -> dict[str, np.ndarray]:
    """The network's weights by name, as a preset holds them."""
    return {
        name: np.ascontiguousarray(ops.convert_to_numpy(variable.value).astype(dtype))
        for name, variable in named_variables(encoder, decoder).items()
    }


def named_variables(encoder: VGG16Encoder, decoder: Decoder) -> dict[str, Any]:
    """The network's Keras variables by the names that presets give them."""
    # Keras numbers a second layer of the same name ("top_down_1/key/kernel"), so that whole paths
    # depend on what else was built; the last two parts do not.
    return {**_named_weights("encoder", encoder), **_named_weights("decoder", decoder)}


def _named_weights(part: str, layer: Any) -> dict[str, Any]:
    return {f"{part}/" + "/".join(w.path.split("/")[-2:]): w for w in layer.weights}
