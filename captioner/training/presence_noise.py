"""What a detector of words would say of an image of which only the captions are known."""

import numpy as np

_QUANTILES = 33
_FEW = 20  # images with a word: below that, its probabilities are those of all words


class PresenceNoise:
    """Draws the probabilities that a detector gives to words that are present, and to others.

    Each word has the distribution that the detector has on real images, and is drawn by itself.

    Args:
        present: (W, Q) quantiles of the probabilities of each word where it is present.
        absent: (W, Q) the same where it is absent.

    Example:
        >>> targets = np.array([[1.0, 0.0], [0.0, 0.0]], "float32")
        >>> noise = PresenceNoise.fit(targets, np.array([[0.9, 0.1], [0.2, 0.1]], "float32"))
        >>> noise.draw(np.array([0.4, 0.0]), np.random.default_rng(0)).tolist() == [
        ...     np.float32(0.9), np.float32(0.1)
        ... ]
        True
    """

    def __init__(self, present: np.ndarray, absent: np.ndarray) -> None:
        self._present = present
        self._absent = absent

    @classmethod
    def fit(cls, targets: np.ndarray, probabilities: np.ndarray) -> "PresenceNoise":
        """Measure the distributions on real images.

        Args:
            targets: (N, W), above 0 where a word is present, -1 where that is unknown.
            probabilities: (N, W), of the detector.
        """
        levels = np.linspace(0, 1, _QUANTILES)
        tables = []
        for chosen in (targets > 0, targets == 0):
            pooled = np.quantile(probabilities[chosen], levels) if chosen.any() else levels * 0
            tables.append(
                np.stack(
                    [
                        np.quantile(column[rows], levels) if rows.sum() >= _FEW else pooled
                        for column, rows in zip(probabilities.T, chosen.T, strict=True)
                    ]
                ).astype(np.float32)
            )
        return cls(*tables)

    def draw(self, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the probabilities of one image.

        Args:
            shares: (W,), above 0 for words that its captions mention.
            rng: Where chance comes from.

        Returns:
            float32 (W,).
        """
        # Between two quantiles, as linear interpolation of the inverse distribution function.
        place = rng.random(len(shares)) * (_QUANTILES - 1)
        low = place.astype(int)
        table = np.where((shares > 0)[:, np.newaxis], self._present, self._absent)
        rows = np.arange(len(shares))
        step = table[rows, low + 1] - table[rows, low]
        return (table[rows, low] + (place - low) * step).astype(np.float32)
