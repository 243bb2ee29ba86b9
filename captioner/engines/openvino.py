"""The engine that runs the network in OpenVINO: a fast start on a CPU, without TensorFlow or Keras.

It runs three graphs that were exported from the Keras network (captioner/exports/graphs.py), with
weights as inputs. The arrays of the preset replace these inputs here, so that a preset contains its
weights only once, for both engines, and the graphs add 0.2 MB to it.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset8

from captioner.arrays import (
    Attention,
    BestIds,
    BestLogProbs,
    Features,
    FrameBatch,
    FrameMask,
    LogProbs,
    Penalty,
    Rows,
    TokenIds,
)
from captioner.engines.engine import Engine, State, weight_of_input
from captioner.errors import CaptionerError

THREADS = "CAPTIONER_THREADS"  # number of threads of each engine; default: all cores
GRAPHS = ("encode", "begin", "step")
_PORTS = {"encode": ("features",), "begin": (), "step": ("words", "log_probs")}
_PRECISIONS = {"mixed_bfloat16": "bf16", "float32": "f32"}


class OpenVINOEngine(Engine):
    """Engine that runs the graphs of a preset on the CPU.

    Several threads may use one engine: each graph runs for one thread at a time, with all cores.

    Args:
        graphs: Contents of the files "openvino_encode.xml", "openvino_encode.bin" and so on.
        weights: Arrays by name, as in a `Preset`.
        policy: "mixed_bfloat16" or "float32".

    Raises:
        CaptionerError: If the graphs cannot be used with these weights or this OpenVINO.
    """

    def __init__(
        self,
        graphs: Mapping[str, bytes],
        weights: Mapping[str, np.ndarray],
        policy: str = "float32",
    ) -> None:
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": _PRECISIONS[policy],
            "PERFORMANCE_HINT": "LATENCY",
        }
        if threads := os.environ.get(THREADS):
            # If several processes pinned their threads, all would use the same first cores.
            options |= {"INFERENCE_NUM_THREADS": int(threads), "ENABLE_CPU_PINNING": False}
        core = ov.Core()
        used: set[str] = set()

        def compile_graph(
            name: str, change: Callable[[Any], None] = lambda model: None
        ) -> "_Graph":
            try:
                model = read_graph(core, graphs, name, weights)
                used.update(node.get_friendly_name() for node in model.get_ops())
                for port in _PORTS[name]:
                    model.output(port)
                change(model)
                return _Graph(core.compile_model(model, "CPU", options))
            except RuntimeError as error:
                raise CaptionerError(
                    f"OpenVINO {ov.__version__} cannot run openvino_{name}.xml "
                    f"({str(error).strip().splitlines()[-1]}): update openvino, or use "
                    "--engine keras"
                ) from error

        encode, begin, step = map(compile_graph, GRAPHS)
        _, _, height, width, _ = encode.model.input("frames").partial_shape
        self.image_size = (height.get_length(), width.get_length())
        if unused := sorted(weights.keys() - used):
            raise CaptionerError(f"model.safetensors has {unused[0]}, which no graph needs")
        self._encode, self._begin, self._step = encode, begin, step
        self._predict = cache(lambda: compile_graph("step", _without_choice))
        outputs = {name for output in begin.model.outputs for name in output.names}
        self._memory = sorted(name for name in outputs if name.startswith("memory_"))
        self._state = sorted(name for name in outputs if name.startswith("state_"))
        self._attends = any("attention" in output.names for output in step.model.outputs)

    def encode(self, frames: FrameBatch) -> Features:
        """See `Engine`."""
        features: np.ndarray = self._encode([frames])["features"]
        return features

    def begin(self, features: Features, frame_mask: FrameMask) -> tuple[Any, State]:
        """See `Engine`."""
        inputs = {"features": features, "frame_mask": frame_mask}
        outputs = self._begin(inputs)
        memory = {name: outputs[name] for name in self._memory}
        return memory, tuple(outputs[name] for name in self._state)

    def step(
        self, token_ids: TokenIds, state: State, memory: Any, penalty: Penalty, count: int
    ) -> tuple[BestIds, BestLogProbs, State, Attention | None]:
        """See `Engine`."""
        inputs = {
            "token_ids": token_ids,
            "penalty": penalty,
            "count": np.array(count, np.int32),
            **dict(zip(self._state, state, strict=True)),
            **memory,
        }
        outputs = self._step(inputs)
        return (
            outputs["words"],
            outputs["log_probs"],
            tuple(outputs[f"next_{name}"] for name in self._state),
            outputs["attention"] if self._attends else None,
        )

    def predict(
        self, token_ids: TokenIds, state: State, memory: Any
    ) -> tuple[LogProbs, State, Attention | None]:
        """See `Engine`; compiled at the first call."""
        predict = self._predict()
        inputs = {
            "token_ids": token_ids,
            "penalty": np.zeros(predict.model.input("penalty").shape, np.float32),
            **dict(zip(self._state, state, strict=True)),
            **memory,
        }
        outputs = predict(inputs)
        return (
            outputs["everything"],
            tuple(outputs[f"next_{name}"] for name in self._state),
            outputs["attention"] if self._attends else None,
        )

    def select(self, memory: Any, rows: Rows) -> Any:
        """See `Engine`."""
        return {name: part[rows] for name, part in memory.items()}


class _Graph:
    """Compiled graph that runs for one thread at a time.

    It has one infer request, which rejects a second thread. One request per thread would multiply
    the memory of the activations without being faster, because one run occupies all cores.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._turn = Lock()

    def __call__(self, inputs: Any) -> Any:
        with self._turn:
            # The outputs are copies, which the next run does not change.
            return self.model(inputs, share_inputs=True)


def read_graph(
    core: Any, graphs: Mapping[str, bytes], name: str, weights: Mapping[str, np.ndarray]
) -> Any:
    """Read a graph of a preset and insert its weights.

    Args:
        core: OpenVINO core, an `openvino.Core`.
        graphs: Graphs as for `OpenVINOEngine`.
        name: "encode", "begin" or "step".
        weights: Arrays by name; the model shares their memory.

    Returns:
        An `openvino.Model`.

    Raises:
        CaptionerError: If a weight of the graph is missing or has another shape.
    """
    model = core.read_model(graphs[f"openvino_{name}.xml"], graphs[f"openvino_{name}.bin"])
    for parameter in model.get_parameters():
        output = parameter.output(0)
        weight = weight_of_input(output.get_any_name())
        if weight is None:
            continue
        if weight not in weights:
            raise CaptionerError(f"model.safetensors lacks {weight}, which a graph needs")
        if not output.partial_shape.compatible(ov.PartialShape(list(weights[weight].shape))):
            raise CaptionerError(
                f"model.safetensors: {weight} has the shape {weights[weight].shape}, but graph "
                f"{name} needs {output.partial_shape}"
            )
        constant = ov.op.Constant(weights[weight], shared_memory=True)
        constant.set_friendly_name(weight)
        value = opset8.convert(constant, "f32").output(0)
        for target in output.get_target_inputs():
            target.replace_source_output(value)
        model.remove_parameter(parameter)
    model.validate_nodes_and_infer_types()
    return model


def _without_choice(model: Any) -> None:
    """Make the step graph return all log-probabilities, "everything", instead of the best.

    OpenVINO sorts slowly: sorting all 2,541 words takes 70 times as long as a step with the best
    six.
    """
    (choice,) = (node for node in model.get_ops() if node.get_type_name() == "TopK")
    everything = choice.input_value(0)
    everything.get_tensor().set_names({"everything"})
    for result in model.get_results():
        if result.input_value(0).get_names() & {"words", "log_probs"}:
            model.remove_result(result)
    model.add_results([opset8.result(everything)])
    for parameter in model.get_parameters():
        if "count" in parameter.output(0).get_names():
            model.remove_parameter(parameter)
    model.validate_nodes_and_infer_types()
