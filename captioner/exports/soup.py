"""Averaging of the weights of several networks (model soup)."""

import re
from collections.abc import Sequence

import numpy as np

from captioner.errors import CaptionerError
from captioner.presets.storage import Preset

# Share of the new weights in the mean of a preset before and after teaching.
TAUGHT_SHARE = 0.3


def average_presets(presets: Sequence[Preset], shares: Sequence[float] | None = None) -> Preset:
    """Return a preset with the mean of the weights of others; it is as fast as one of them.

    It can be better than each of them if they were trained from the same initial weights, such as
    stages of a training, or trainings that differ only in their seeds. The mean of independently
    trained networks is useless.

    Args:
        presets: Two or more presets of the same network and vocabulary. The search options are
            those of the first; a calibrated confidence is left out, since it belongs to one model.
        shares: Share of each preset in the mean; by default all are equal.

    Raises:
        CaptionerError: If their networks or vocabularies differ, or weights have 8 bits.

    Source: Wortsman et al. 2022, https://arxiv.org/abs/2203.05482.

    Example:
        >>> from captioner.presets.storage import read_preset
        >>> preset = read_preset("vgg16_top_down")
        >>> mean = average_presets([preset, preset]).weights["decoder/key/kernel"]
        >>> bool((mean == preset.weights["decoder/key/kernel"]).all())
        True
    """
    first = presets[0]
    for number, other in enumerate(presets[1:], 2):
        if differing := _difference(first, other):
            raise CaptionerError(
                f"the first preset and number {number} differ in their {differing}: only stages "
                "of one training, or trainings of one `start`, can be averaged"
            )
    arrays = [array for preset in presets for array in preset.weights.values()]
    if any(not np.issubdtype(array.dtype, np.floating) for array in arrays):
        raise CaptionerError("8-bit presets cannot be averaged: average first, then quantize")
    weights = {
        name: _mean([preset.weights[name] for preset in presets], shares) for name in first.weights
    }
    config = {key: value for key, value in first.config.items() if key not in _OWN}
    return Preset(config, first.vocabulary, weights, _card(presets), first.graphs)


# Entries of the config that belong to one model.
_OWN = {"confidence", "training"}


def _difference(one: Preset, other: Preset) -> str | None:
    """Return the name of a part in which two networks differ, or None if they can be averaged."""
    for part in ("encoder", "decoder"):
        if one.config.get(part) != other.config.get(part):
            return part
    if one.vocabulary.words != other.vocabulary.words:
        return "vocabulary"
    shapes = [{name: array.shape for name, array in p.weights.items()} for p in (one, other)]
    return None if shapes[0] == shapes[1] else "weights"


def _mean(arrays: Sequence[np.ndarray], shares: Sequence[float] | None) -> np.ndarray:
    if all(np.array_equal(arrays[0], array) for array in arrays[1:]):
        return arrays[0]  # bit-exact, so that the features of a frozen encoder do not change
    stacked = np.stack([array.astype(np.float32) for array in arrays])
    mean: np.ndarray = np.average(stacked, axis=0, weights=shares)
    return mean.astype(arrays[0].dtype)


def _card(presets: Sequence[Preset]) -> str:
    cards = "\n\n".join(preset.card.strip() for preset in presets)
    below = re.sub("^#", "##", cards, flags=re.MULTILINE)
    return f"# Model card\n\nThe mean of the weights of {len(presets)} models:\n\n{below}\n"
