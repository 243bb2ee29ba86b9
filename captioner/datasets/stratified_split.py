"""A split of clips into train, val and test that any run can make again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}


def stratified_split(
    labels: Mapping[str, str], seed: int, shares: Mapping[str, float] = SHARES
) -> dict[str, str]:
    """Put each item into a split, so that each label is shared out alike.

    It depends on the names, the labels and the seed alone, not on the order in which they come;
    other labels may come and go without changing it.

    Args:
        labels: the label of each item by the item's name.
        seed: of the shuffling; a config names it.
        shares: of each split, adding up to 1; the last one gets what rounding leaves.

    Returns:
        The split of each item by its name.

    Example:
        >>> split = stratified_split({f"yes{n}": "yes" for n in range(5)}, seed=1)
        >>> sorted(split.values())
        ['test', 'train', 'train', 'train', 'val']
    """
    names: dict[str, list[str]] = defaultdict(list)
    for name, label in labels.items():
        names[label].append(name)
    split = {}
    for label, members in names.items():
        ordered = sorted(members)
        rng = np.random.default_rng((seed, *label.encode()))
        shuffled = [ordered[place] for place in rng.permutation(len(ordered))]
        ends = np.cumsum(list(shares.values())) * len(shuffled)
        for part, chosen in zip(shares, _cut(shuffled, ends), strict=True):
            split.update(dict.fromkeys(chosen, part))
    return split


def _cut(names: Sequence[str], ends: np.ndarray) -> list[Sequence[str]]:
    places = [0, *(int(end + 0.5) for end in ends[:-1]), len(names)]
    return [names[start:end] for start, end in pairwise(places)]
