"""How many pictures a second go through a captioner, and where the time goes."""

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.process import peak_mb, reset_peak
from benchmarks.timed_engine import TimedEngine
from captioner.captioner import Captioner
from captioner.errors import CaptionerError
from captioner.media.ahead import read_ahead
from captioner.media.clip import Clip
from captioner.media.sources import read_clips

BEAM_WIDTHS = (1, 3, 5)
BEAM_WIDTH = 3


def measure_throughput(
    preset: str, precision: str, engine: str, pictures: Sequence[str], batch_size: int
) -> dict[str, Any]:
    """Describe pictures end to end, then once more stage after stage.

    End to end, pictures are decoded while the network is at work; alone, a stage takes its full
    time, so that the stages sum up to more. What is done only once, such as tracing graphs, is
    done before.

    Args:
        preset: Name or folder.
        precision: "bfloat16" or "float32".
        engine: "openvino" or "keras".
        pictures: Paths; all must be readable.
        batch_size: Pictures that go through the network together.

    Returns:
        seconds, pictures_per_second, network_busy (share of the seconds), memory_growth_mb (by how
        much the peak of the process rises after the first batches), stages (decode_s, encode_s,
        search_s at `BEAM_WIDTH`) and beam_widths (for each of `BEAM_WIDTHS` search_s, and search
        and all stages over greedy's).

    Raises:
        CaptionerError: If a picture has no caption.
    """
    captioner = Captioner.from_preset(preset, precision, engine)
    reset_peak()
    # One more than a batch: the graphs have then met a batch that is not full, too.
    _time_stages(captioner, pictures[: batch_size + 1], batch_size)
    peak_before = peak_mb()
    timed = captioner.writer.engine = TimedEngine(captioner.writer.engine)
    start = time.perf_counter()
    results = captioner.stream(pictures, batch_size=batch_size, beam_width=BEAM_WIDTH)
    for result in tqdm(results, engine, len(pictures), unit=" pictures", disable=None):
        if isinstance(result, CaptionerError):
            raise result
    seconds = time.perf_counter() - start
    # Linux counts pages thread by thread and adds them up late, so that a peak may seem to fall.
    growth = max(peak_mb() - peak_before, 0.0)
    busy = timed.seconds / seconds
    stages = _time_stages(captioner, pictures, batch_size)
    network = stages["decode"] + stages["encode"]
    return {
        "seconds": seconds,
        "pictures_per_second": len(pictures) / seconds,
        "network_busy": busy,
        "memory_growth_mb": growth,
        "stages": {
            "decode_s": stages["decode"],
            "encode_s": stages["encode"],
            "search_s": stages[f"search {BEAM_WIDTH}"],
        },
        "beam_widths": {
            str(width): {
                "search_s": stages[f"search {width}"],
                "search_over_greedy": stages[f"search {width}"] / stages["search 1"],
                "total_over_greedy": (network + stages[f"search {width}"])
                / (network + stages["search 1"]),
            }
            for width in BEAM_WIDTHS
        },
    }


def _time_stages(
    captioner: Captioner, pictures: Sequence[str], batch_size: int
) -> dict[str, float]:
    """Seconds of "decode", "encode", and "search K" for each beam width K."""
    seconds: Counter[str] = Counter()

    def lap(stage: str, since: float) -> float:
        now = time.perf_counter()
        seconds[stage] += now - since
        return now

    starts = range(0, len(pictures), batch_size)
    for first in tqdm(starts, "stages", unit=" batches", disable=None):
        chosen = pictures[first : first + batch_size]
        now = time.perf_counter()
        read = partial(read_clips, size=captioner.image_size)
        (batch,) = read_ahead(read, chosen, batch_size)
        now = lap("decode", now)
        images = []
        for reading in batch:
            if not isinstance(reading.clip, Clip):
                raise reading.clip
            images.append(reading.clip.frames)  # (T=1, H, W, 3)
        features = captioner.writer.engine.encode(np.stack(images))  # (B, T=1, P, C)
        now = lap("encode", now)
        for width in BEAM_WIDTHS:
            captioner.caption_features(list(features), beam_width=width)
            now = lap(f"search {width}", now)
    return seconds
