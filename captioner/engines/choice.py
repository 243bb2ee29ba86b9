"""The engine that runs a preset."""

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
    """Names the engine to run a preset.

    Args:
        preset: As `read_preset` gives it.
        engine: "openvino", "keras", or "auto": OpenVINO where it can be; if not, a line on stderr
            says why.

    Returns:
        "openvino" or "keras".

    Raises:
        CaptionerError: If OpenVINO is asked for and cannot be.
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
        obstacle = "openvino is not installed: `pip install openvino`, where it has wheels"
    if obstacle is None:
        return "openvino"
    if engine == "openvino":
        raise CaptionerError(obstacle)
    print(f"Starting slowly, with Keras; {obstacle}", file=sys.stderr)
    return "keras"


def build_engine(preset: Preset, engine: str = "auto", precision: str = "auto") -> Engine:
    """Build the engine of a preset; only that of Keras imports Keras.

    Args:
        preset: As `read_preset` gives it.
        engine: As for `choose_engine`.
        precision: "auto", "bfloat16" or "float32".

    Raises:
        CaptionerError: If the preset does not fit itself, or not this engine.
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
    """Build the engine of several presets at once, which averages what they predict.

    Args:
        presets: As `read_preset` gives them.
        engine: As for `choose_engine`.
        precision: "auto", "bfloat16" or "float32".

    Raises:
        CaptionerError: If they have different words, or one does not fit the engine.
    """
    first, *others = presets
    if any(preset.vocabulary != first.vocabulary for preset in others):
        raise CaptionerError(
            "these presets have different words, so their predictions cannot be averaged: "
            "take presets that were trained on the same captions with the same min_count"
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
    if not all(weights):  # those of 8 bits are in the graph
        graphs = [preset.graphs.get("openvino_encode.bin") for preset in (one, other)]
        return not any(weights) and graphs[0] == graphs[1]
    return one.config["encoder"] == other.config["encoder"] and all(
        np.array_equal(array, weights[1][name]) for name, array in weights[0].items()
    )
