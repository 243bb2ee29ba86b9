"""`benchmark.py roofline`: how far VGG16 is from what the cores can multiply."""

import json
import time
from importlib.util import find_spec
from typing import Any

import click
import numpy as np
import openvino as ov
from openvino import opset8

from benchmarks.machine import machine_facts, machine_line
from captioner.cli.endings import plain_errors
from captioner.engines.choice import build_engine
from captioner.evaluation.score_table import aligned
from captioner.exports.quantization import quantize_preset
from captioner.presets.storage import DEFAULT_PRESET, Preset, preset_folder, read_preset

_PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "8 bits": "f32"}
# Multiplications and additions of the thirteen convolutions on a picture of 224 x 224 pixels:
# 2 * sum of height * width * 9 * channels in * channels out (Simonyan and Zisserman 2014, D).
_LAYERS = [
    (224, 3, 64), (224, 64, 64),
    (112, 64, 128), (112, 128, 128),
    (56, 128, 256), (56, 256, 256), (56, 256, 256),
    (28, 256, 512), (28, 512, 512), (28, 512, 512),
    (14, 512, 512), (14, 512, 512), (14, 512, 512),
]  # fmt: skip
VGG16_OPERATIONS = sum(2 * 9 * side**2 * before * after for side, before, after in _LAYERS)


@click.command()
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option("--batch-size", default=8, show_default=True, type=click.IntRange(min=1))
@click.option("--runs", default=5, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--side", default=4096, show_default=True, type=click.IntRange(min=64), help="Of the matrices."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def roofline(preset: str, batch_size: int, runs: int, side: int, as_json: bool) -> None:
    """Compare VGG16 with a product of two large matrices, on the same cores, in OpenVINO.

    Where NNCF is installed, also in 8 bits, with ranges learnt from noise: the speed is the same.
    """
    with plain_errors():
        read = read_preset(preset_folder(preset))
        frames = np.random.default_rng(0).integers(0, 256, (batch_size, 1, 224, 224, 3), np.uint8)
        presets = {"float32": read, "bfloat16": read}
        if find_spec("nncf") is not None:
            presets["8 bits"] = quantize_preset(read, list(frames[:, np.newaxis]))
        found = {
            name: {
                "product_gflops": _time_product(name, side, runs),
                "vgg16_gflops": _time_encoder(part, name, frames, runs),
            }
            for name, part in presets.items()
        }
    for side_found in found.values():
        side_found["share"] = side_found["vgg16_gflops"] / side_found["product_gflops"]
    measured = {"machine": machine_facts(), "side": side, "batch_size": batch_size, **found}
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured, list(found)))


def _time_product(precision: str, side: int, runs: int) -> float:
    """Gigaflops of a product of two square matrices, the second of which is constant."""
    rng = np.random.default_rng(0)
    left = opset8.parameter([side, side], np.float32, name="left")
    right = opset8.constant(rng.standard_normal((side, side), np.float32))
    if precision == "8 bits":
        factors = [
            opset8.fake_quantize(factor, *map(np.float32, (-4, 4, -4, 4)), levels)
            for factor, levels in ((left, 256), (right, 255))
        ]
    else:
        factors = [left, right]
    model = ov.Model([opset8.matmul(*factors, False, True)], [left])
    options = {"INFERENCE_PRECISION_HINT": _PRECISIONS[precision], "PERFORMANCE_HINT": "LATENCY"}
    compiled = ov.Core().compile_model(model, "CPU", options)
    values = rng.standard_normal((side, side), np.float32)
    seconds = _fastest(lambda: compiled([values], share_inputs=True), runs)
    return 2 * side**3 / seconds / 1e9


def _time_encoder(preset: Preset, precision: str, frames: np.ndarray, runs: int) -> float:
    engine = build_engine(preset, "openvino", "float32" if precision == "float32" else "bfloat16")
    seconds = _fastest(lambda: engine.encode(frames), runs)
    return len(frames) * VGG16_OPERATIONS / seconds / 1e9


def _fastest(run: Any, runs: int) -> float:
    run()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _table(measured: dict[str, Any], names: list[str]) -> str:
    rows = [
        (
            name,
            f"{measured[name]['product_gflops']:,.0f}",
            f"{measured[name]['vgg16_gflops']:,.0f}",
            f"{100 * measured[name]['share']:.0f} %",
        )
        for name in names
    ]
    side = measured["side"]
    title = ("gigaflops", f"product of {side} x {side}", "VGG16", "share")
    note = (
        f"VGG16 has {VGG16_OPERATIONS / 1e9:.1f} thousand million operations a picture; "
        f"{measured['batch_size']} pictures at once, the fastest run."
    )
    return "\n\n".join([machine_line(measured["machine"]), aligned(title, rows), note])
