"""A figure of the learning curves of a training, with captions of a few images."""

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from captioner.errors import CaptionerError
from captioner.media.sources import read_clips
from captioner.replacing import replacing
from captioner.training.epoch_samples import Sample
from captioner.training.learning_curve import LearningCurve, samples_by_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_IMAGES = 4  # images with sample captions, at most
_LINES = 5  # captions of an image, at most
_SIDE = 240  # pixels of the shorter side


def write_curves(curves: Sequence[LearningCurve], path: Path) -> None:
    """Draw learning curves into a file.

    Args:
        curves: Stages of a training, in order.
        path: Image file, .png, .svg, .pdf or another format of matplotlib; replaced atomically.

    Raises:
        CaptionerError: If matplotlib is not installed, or the file cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise CaptionerError("--out needs matplotlib: pip install 'captioner[plots]'")
    figure = draw_curves(curves)
    try:
        with replacing(path) as partial:
            figure.savefig(partial, dpi=144, format=path.suffix.lower().removeprefix(".") or "none")
    except ValueError as error:
        raise CaptionerError(f"cannot write {path} ({error}): name a .png file") from error


def draw_curves(curves: Sequence[LearningCurve]) -> "Figure":
    """Draw the loss and the scores of all stages, one after another, and captions below.

    Args:
        curves: Stages of a training, in order.

    Returns:
        A matplotlib figure, which notebooks display.
    """
    from matplotlib.figure import Figure

    images = list(_stories(curves).items())[:_IMAGES]
    figure = Figure(figsize=(9, 3 + 1.5 * len(images)), layout="constrained")
    grid = figure.add_gridspec(1 + len(images), 2, height_ratios=[3] + [1.5] * len(images))
    names = list(dict.fromkeys(name for curve in curves for name in curve.shown))
    parts = [(("loss",), "loss in training"), (tuple(names), "validation, x 100")]
    for column, (shown, title) in enumerate(parts):
        axes = figure.add_subplot(grid[0, column])
        for number, name in enumerate(shown):
            _plot(axes, curves, name, f"C{number}")
        _mark_stages(axes, curves)
        axes.set(title=title if len(shown) != 1 or column == 0 else f"{shown[0]}, {title}")
        axes.set_xlabel("epoch")
        if len(shown) > 1:
            axes.legend(fontsize=8)
    for row, (path, said) in enumerate(images, start=1):
        axes = figure.add_subplot(grid[row, :])
        axes.set_axis_off()
        image = _image(path)
        if image is not None:
            inset = axes.inset_axes((0, 0, 0.24, 1))
            inset.imshow(image)
            inset.set_axis_off()
        place: dict[str, Any] = {"va": "top", "transform": axes.transAxes}
        axes.text(0.26, 1, said, fontsize=9, wrap=True, parse_math=False, **place)
    return figure


def _plot(axes: "Axes", curves: Sequence[LearningCurve], name: str, color: str) -> None:
    """Draw one value for all stages that have it; epochs are numbered across stages."""
    begun, label = 0, name
    for curve in curves:
        if name in curve.rows[0]:
            epochs = begun + 1 + np.arange(len(curve.rows))
            axes.plot(epochs, curve.values(name), marker=".", color=color, label=label)
            label = "_"  # matplotlib leaves it out of the legend
        begun += len(curve.rows)


def _mark_stages(axes: "Axes", curves: Sequence[LearningCurve]) -> None:
    """Draw a vertical line at the start of each stage, with its name."""
    begun = 0
    for curve in curves:
        if begun:
            axes.axvline(begun + 0.5, color="gray", linewidth=0.8)
        if curve.name:
            axes.text(
                (begun + 0.6), 1.0, curve.name, fontsize=8, color="gray", va="bottom",
                transform=axes.get_xaxis_transform(),
            )  # fmt: skip
        begun += len(curve.rows)


def _stories(curves: Sequence[LearningCurve]) -> dict[str, str]:
    """Return for each image path its captions, each time they changed, and a human caption."""
    lines: dict[str, list[str]] = {}
    people: dict[str, str] = {}
    for curve in curves:
        for path, samples in samples_by_image(curve.samples).items():
            people[path] = samples[0].people
            lines.setdefault(path, []).extend(_line(curve, sample) for sample in samples)
    return {
        path: "\n".join([*_some(own), f"people: {people[path]}"]) for path, own in lines.items()
    }


def _line(curve: LearningCurve, sample: Sample) -> str:
    return f"{f'{curve.name} {sample.epoch}'.lstrip()}: {sample.caption}"


def _some(lines: Sequence[str]) -> list[str]:
    """Return a few evenly spaced lines, including the first and the last."""
    count = min(len(lines), _LINES)
    return [lines[place] for place in np.linspace(0, len(lines) - 1, count).round().astype(int)]


def _image(path: str) -> np.ndarray | None:
    """Return an image, or the first frame of a clip; None if it is no longer readable."""
    try:
        return next(read_clips(path, _SIDE, every=math.inf, most=1)).frames[0]
    except (CaptionerError, StopIteration):
        return None
