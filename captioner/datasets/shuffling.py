"""A random order that reads large files nearly one after another."""

from collections.abc import Sequence

import numpy as np

from captioner.media.tar_members import shard_of

BUFFER = 8192  # examples


def number_shards(paths: Sequence[str]) -> np.ndarray | None:
    """Return the number of each example's shard, int (N,), -1 without one; None without shards.

    Example:
        >>> number_shards(["b.tar/1.jpg", "a.tar/1.jpg", "2.jpg"]).tolist()
        [1, 0, -1]
    """
    shards = [shard_of(path) for path in paths]
    known = {shard: number for number, shard in enumerate(sorted({s for s in shards if s}))}
    if not known:
        return None
    return np.array([known[shard] if shard else -1 for shard in shards])


def shuffle_nearby(
    order: np.ndarray, shards: np.ndarray, rng: np.random.Generator, buffer: int = BUFFER
) -> np.ndarray:
    """Rearrange a random order so that at any time only few shards are read.

    The shards come in a random order, and so do the examples of each; a buffer then mixes those of
    neighbouring shards, as tf.data and WebDataset do. It holds numbers rather than images: what has
    been read lately is in the page cache of the system.

    Args:
        order: Indices of examples in random order, int (M,); they may repeat.
        shards: Number of each example's shard, int (N,); examples with -1 are spread evenly.
        rng: Random generator.
        buffer: Number of examples that are mixed.

    Returns:
        The same indices, int (M,).

    Example:
        >>> shards = np.repeat(np.arange(4), 100)
        >>> order = np.random.default_rng(1).permutation(400)
        >>> near = shuffle_nearby(order, shards, np.random.default_rng(2), buffer=10)
        >>> len(set(shards[near[:100]].tolist())), sorted(near) == sorted(order)
        (2, True)
    """
    own = shards[order]
    ranks = rng.permutation(max(int(shards.max()) + 1, 1))
    spread = rng.random(len(order)) * len(ranks)
    stream = order[np.argsort(np.where(own < 0, spread, ranks[own]), kind="stable")]
    held = stream[:buffer].copy()
    picks = rng.integers(0, max(len(held), 1), len(stream) - len(held))
    taken = np.empty_like(stream)
    for place, (pick, following) in enumerate(zip(picks, stream[len(held) :], strict=True)):
        taken[place], held[pick] = held[pick], following
    taken[len(picks) :] = rng.permutation(held)
    return taken
