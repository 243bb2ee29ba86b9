"""Growth of the vocabulary of a preset."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from captioner.errors import CaptionerError
from captioner.presets.storage import Preset

_VECTORS = "decoder/embedding/embeddings"  # (V, E)
_KERNEL = "decoder/word_logits/kernel"  # (D, V)
_BIAS = "decoder/word_logits/bias"  # (V,)
_RAREST = 100  # number of known words whose mean output initialises a new word


def grow_vocabulary(preset: Preset, counts: Mapping[str, int], seed: int = 0) -> Preset:
    """Add words to a preset; known words keep their weights.

    The vector of a new word is drawn with the mean and the spread of the known vectors. The output
    weights are the mean of the rarest known words, so that captions do not contain the new word
    more often than those words until it has been learned.

    Args:
        preset: Preset with floating-point weights.
        counts: Number of occurrences of each word or subword, added to the counts of those that
            the preset knows.
        seed: Seed of the vectors.

    Returns:
        The preset with the larger vocabulary, without graphs, which have the old size.

    Raises:
        CaptionerError: If the preset has 8-bit weights.

    Example:
        >>> from captioner.presets.storage import read_preset
        >>> grown = grow_vocabulary(read_preset("vgg16_top_down"), {"dog": 3, "rex": 10})
        >>> "rex" in grown.vocabulary, len(grown.vocabulary)
        (True, 4841)
    """
    if not np.issubdtype(preset.weights[_VECTORS].dtype, np.floating):
        raise CaptionerError("8-bit presets cannot be trained: use the original preset")
    known = preset.vocabulary
    total = dict(known.counts)
    for word, count in counts.items():
        total[word] = total.get(word, 0) + count
    vocabulary = known.with_counts(total)
    ids = {word: id_ for id_, word in enumerate(known.words)}
    rows = np.array(
        [ids.get(word, known.unk_id) for word in vocabulary.words]
    )  # in the old weights
    new = np.array([word not in known for word in vocabulary.words])
    rng = np.random.default_rng(seed)
    weights = dict(preset.weights)

    vectors = preset.weights[_VECTORS].astype(np.float32)
    grown = vectors[rows]
    grown[new] = rng.normal(vectors[4:].mean(), vectors[4:].std(), (new.sum(), vectors.shape[1]))
    weights[_VECTORS] = grown.astype(preset.weights[_VECTORS].dtype)
    for name in (_KERNEL, _BIAS):
        if name in weights:  # tied vectors have no kernel
            array = weights[name].astype(np.float32)
            mean = array[..., 4:][..., -_RAREST:].mean(axis=-1, keepdims=True)
            weights[name] = np.where(new, mean, array[..., rows]).astype(weights[name].dtype)
    return replace(preset, vocabulary=vocabulary, weights=weights, graphs={})
