"""VGG16 in 8 bits for OpenVINO: half the size, and fast on CPUs with VNNI or AMX."""

import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np

from captioner.engines.openvino import read_graph
from captioner.errors import CaptionerError
from captioner.presets.storage import Preset

_NOTE = (
    "## In 8 bits\n\nVGG16's weights and activations have 8 bits here, their ranges learnt from "
    "{count} pictures; the scores above are those of the model before that."
)


def quantize_preset(preset: Preset, frames: Sequence[np.ndarray]) -> Preset:
    """Make a preset whose VGG16 has weights and activations of 8 bits; the decoder stays.

    The weights of VGG16 are then in its graph, scaled channel by channel, and nowhere else: such a
    preset is for the OpenVINO engine alone.

    Args:
        preset: With graphs, and with the weights of VGG16.
        frames: uint8 (1, 1, H, W, 3) each, from which the ranges of the activations are learnt:
            some hundred, like those that will be described.

    Raises:
        CaptionerError: If NNCF is not installed, or the preset has no graphs or weights for this.

    Source: post-training quantization as by NNCF, https://github.com/openvinotoolkit/nncf; Nagel et
        al. 2021, https://arxiv.org/abs/2106.08295.
    """
    if not preset.graphs or not any(name.startswith("encoder/") for name in preset.weights):
        raise CaptionerError("only a preset with graphs and whole weights can be quantized")
    import openvino as ov
    from openvino.passes import ConstantFolding, Manager

    try:
        import nncf
    except ImportError as error:
        raise CaptionerError(
            "quantization needs nncf: `pip install 'captioner[quantize]'`"
        ) from error
    # NNCF finds weights of float32 that no operation stands before: kernels are transposed first.
    weights = {name: array.astype(np.float32) for name, array in preset.weights.items()}
    model = read_graph(ov.Core(), preset.graphs, "encode", weights)
    folding = Manager()
    folding.register_pass(ConstantFolding())
    folding.run_passes(model)
    with redirect_stdout(sys.stderr):  # where NNCF's progress belongs
        model = nncf.quantize(model, nncf.Dataset(list(frames)), subset_size=len(frames))
    graphs = dict(preset.graphs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "openvino_encode.xml"
        ov.save_model(model, path, compress_to_fp16=False)
        graphs.update({file.name: file.read_bytes() for file in (path, path.with_suffix(".bin"))})
    decoder = {name: a for name, a in preset.weights.items() if not name.startswith("encoder/")}
    card = f"{preset.card.rstrip()}\n\n{_NOTE.format(count=len(frames))}\n"
    return replace(preset, graphs=graphs, weights=decoder, card=card)
