"""OpenVINO: encode.xml, begin.xml and step.xml, each with its weights in a .bin file, float16."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from captioner.exports.export import Network, Runner
from captioner.exports.graphs import export_graphs


def write(network: Network, folder: Path) -> None:
    """Write the network."""
    import openvino as ov

    from captioner.engines.openvino import read_graph

    graphs = export_graphs(network.encoder, network.decoder)
    for name in network.signatures:
        model = read_graph(ov.Core(), graphs, name, network.preset.weights)
        ov.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)  # the weights are


def load(folder: Path) -> Runner:
    """Run what `write` wrote."""
    import openvino as ov

    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = {
        path.stem: ov.Core().compile_model(path, "CPU", options) for path in folder.glob("*.xml")
    }

    def run(name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            name: array
            for port, array in compiled[name](dict(inputs)).items()
            for name in port.names
        }

    return run
