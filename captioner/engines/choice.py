"""Choice and construction of the engine that runs a preset."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from captioner.engines.engine import Engine
from captioner.engines.ensemble import EnsembleEngine
from captioner.engines.runtime import compute_policy, tensorflow_logs_hidden
from captioner.errors import CaptionerError
from captioner.presets.storage import Preset, naming

ENGINES = ("auto", "openvino", "keras")


def choose_engine(preset: Preset, engine: str = "auto") -> str:
    """Choose the engine to run a preset.

    Args:
        preset: Preset from `read_preset`.
        engine: "openvino", "keras", or "auto": OpenVINO if possible; otherwise a line on stderr
            gives the reason.

    Returns:
        "openvino" or "keras".

    Raises:
        CaptionerError: If OpenVINO is requested but not possible.
    """
    if engine not in ENGINES:
        raise CaptionerError(f"engine {engine!r}: choose one of {', '.join(ENGINES)}")
    if engine == "keras":
        return engine
    obstacle = None
    if not preset.graphs:
        obstacle = (
            "this preset has no graphs for OpenVINO: "
            "`captioner export PRESET --format preset --out FOLDER` adds them"
        )
    elif find_spec("openvino") is None:
        obstacle = "openvino is not installed: `pip install openvino`, if it has wheels here"
    if obstacle is None:
        return "openvino"
    if engine == "openvino":
        raise CaptionerError(obstacle)
    print(f"Starting slowly with Keras, because {obstacle}", file=sys.stderr)
    return "keras"


def build_engine(preset: Preset, engine: str = "auto", precision: str = "auto") -> Engine:
    """Build the engine of a preset; only the Keras engine imports Keras.

    Args:
        preset: Preset from `read_preset`.
        engine: See `choose_engine`.
        precision: "auto", "bfloat16" or "float32".

    Raises:
        CaptionerError: If the preset is inconsistent, or does not fit this engine.
    """
    policy = compute_policy(precision)
    chosen = choose_engine(preset, engine)
    with naming(preset.folder):
        if chosen == "openvino":
            from captioner.engines.openvino import OpenVINOEngine

            return OpenVINOEngine(preset.graphs, preset.weights, policy)
        with tensorflow_logs_hidden():
            from captioner.engines.keras import KerasEngine
            from captioner.presets.network import build_network

        return KerasEngine(*build_network(preset, policy))


def build_ensemble(
    presets: Sequence[Preset], engine: str = "auto", precision: str = "auto"
) -> EnsembleEngine:
    """Build an engine that averages the predictions of several presets.

    Args:
        presets: Presets from `read_preset`.
        engine: See `choose_engine`.
        precision: "auto", "bfloat16" or "float32".

    Raises:
        CaptionerError: If the presets have different words, or one does not fit the engine.
    """
    first, *others = presets
    if any(preset.vocabulary != first.vocabulary for preset in others):
        raise CaptionerError(
            "these presets have different words, so their predictions cannot be averaged: "
            "use presets that were trained on the same captions with the same min_count"
        )
    encoders = [
        next(n for n, other in enumerate(presets) if _same_encoder(preset, other))
        for preset in presets
    ]
    engines = [build_engine(preset, engine, precision) for preset in presets]
    return EnsembleEngine(engines, encoders)


def _same_encoder(one: Preset, other: Preset) -> bool:
    weights = [
        {name: a for name, a in preset.weights.items() if name.startswith("encoder/")}
        for preset in (one, other)
    ]
    if not all(weights):  # 8-bit weights are in the graph
        graphs = [preset.graphs.get("openvino_encode.bin") for preset in (one, other)]
        return not any(weights) and graphs[0] == graphs[1]
    return one.config["encoder"] == other.config["encoder"] and all(
        np.array_equal(array, weights[1][name]) for name, array in weights[0].items()
    )
