"""A network on its way out, and what came out, in the terms that all formats share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from captioner.decoders.decoder import Decoder
from captioner.exports.signatures import Signature, signatures
from captioner.presets.network import build_network
from captioner.presets.storage import Preset
from captioner.vision.encoder import VGG16Encoder

# Calls the function of that name on named arrays.
Runner = Callable[[str, Mapping[str, np.ndarray]], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Network:
    """A preset's network in float32, to be written in some format.

    Attributes:
        preset: What it was made of.
        encoder: The `VGG16Encoder`.
        decoder: The decoder.
        signatures: Its functions by name.
    """

    preset: Preset
    encoder: VGG16Encoder
    decoder: Decoder
    signatures: Mapping[str, Signature]

    @classmethod
    def of(cls, preset: Preset) -> "Network":
        """Builds the network of a preset."""
        encoder, decoder = build_network(preset)
        return cls(preset, encoder, decoder, signatures(encoder, decoder))

    def run(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Calls a function in Keras; a `Runner`."""
        signature = self.signatures[name]
        outputs = signature.function(*(inputs[spec.name] for spec in signature.inputs))
        return {name: np.asarray(output) for name, output in outputs.items()}
