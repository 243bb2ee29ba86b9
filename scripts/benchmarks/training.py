"""`benchmark.py train`: how long a step of training takes, with VGG16 frozen and fine-tuned."""

import json
import statistics
import time
from typing import Any

import click
import numpy as np

from benchmarks.machine import machine_facts, machine_line
from benchmarks.process import peak_mb, reset_peak
from captioner.cli.endings import plain_errors
from captioner.engines.runtime import compute_policy, tensorflow_logs_hidden
from captioner.evaluation.score_table import aligned
from captioner.presets.storage import DEFAULT_PRESET, preset_folder, read_preset
from captioner.training.config import StageConfig

_CAPTIONS = 5  # of each picture
_WORDS = 18
# The first trained block of VGG16; with None a step begins with stored features.
_KINDS = {"decoder alone": None, "block5 up": "block5", "block3 up": "block3"}


@click.command()
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Whose network it is.")
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(min=1))
@click.option("--steps", default=5, show_default=True, type=click.IntRange(min=1))
@click.option("--precision", default="auto", type=click.Choice(["auto", "bfloat16", "float32"]))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def train(preset: str, batch_size: int, steps: int, precision: str, as_json: bool) -> None:
    """Time steps on pictures of noise with five captions each; the median counts."""
    with plain_errors():
        name = str(preset_folder(preset))
        found = {
            kind: _time_steps(name, block, batch_size, steps, precision)
            for kind, block in _KINDS.items()
        }
    import keras

    alone = found["decoder alone"]["seconds"]
    for side in found.values():
        side["over_decoder"] = side["seconds"] / alone
    measured = {
        "machine": machine_facts(),
        "preset": name,
        "backend": keras.backend.backend(),
        "batch_size": batch_size,
        "captions": _CAPTIONS,
        "words": _WORDS,
        "steps": steps,
        "found": found,
    }
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


def _time_steps(
    name: str, block: str | None, batch_size: int, steps: int, precision: str
) -> dict[str, float]:
    with tensorflow_logs_hidden():
        from captioner.engines.keras import JIT_COMPILE
        from captioner.models.build import build_decoder
        from captioner.models.vgg16 import VGG16Encoder
        from captioner.training.caption_model import CaptionModel, NextWordLoss
        from captioner.training.optimizer import build_optimizer

    preset, policy = read_preset(name), compute_policy(precision)
    grid = preset.config["encoder"]["grid"]
    encoder = VGG16Encoder(grid=grid, weights=None, trainable_from=block, dtype=policy)
    words = len(preset.vocabulary)
    decoder = build_decoder(
        **preset.config["decoder"],
        channels=encoder.channels,
        vocabulary_size=words,
        dtype=policy,
    )
    stage = StageConfig("step", 1, 1e-4, trainable_from=block, encoder_learning_rate=1e-5)
    model = CaptionModel(encoder, decoder)
    model.compile(build_optimizer(stage, steps=100), NextWordLoss(0.1), jit_compile=JIT_COMPILE)
    rng = np.random.default_rng(0)
    token_ids = rng.integers(4, words, (batch_size, _CAPTIONS, _WORDS), np.int32)
    inputs: dict[str, Any] = {"token_ids": token_ids}
    if block is None:
        shape = (batch_size, 1, encoder.locations, encoder.channels)
        inputs["features"] = rng.random(shape, np.float32).astype(np.float16)
    else:
        shape = (batch_size, 1, *encoder.image_size, 3)
        inputs["images"] = rng.integers(0, 256, shape, np.uint8)
    weights = np.ones(token_ids.shape, np.float32)
    model.train_on_batch(inputs, token_ids, weights)  # traces the graph
    reset_peak()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        model.train_on_batch(inputs, token_ids, weights)
        seconds.append(time.perf_counter() - start)
    return {"seconds": statistics.median(seconds), "peak_mb": peak_mb()}


def _table(measured: dict[str, Any]) -> str:
    rows = [
        (
            kind,
            f"{side['seconds']:.2f}",
            f"{measured['batch_size'] / side['seconds']:.1f}",
            f"{side['over_decoder']:.1f} x",
            f"{side['peak_mb']:,.0f}",
        )
        for kind, side in measured["found"].items()
    ]
    title = (
        f"{measured['backend']}, batches of {measured['batch_size']}, "
        f"{measured['captions']} captions each",
        "seconds a step",
        "pictures a second",
        "to the decoder alone",
        "peak memory, MB",
    )
    return f"{machine_line(measured['machine'])}\n\n{aligned(title, rows)}"
