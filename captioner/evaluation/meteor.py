"""METEOR 1.5, by the Java program that comes with pycocoevalcap."""

import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np

from captioner.errors import CaptionerError

# Columns of the statistics that METEOR prints for one caption.
_LENGTH, _REFERENCE_LENGTH, _CHUNKS, _MATCHED, _REFERENCE_MATCHED = 0, 1, 20, 21, 22


class Meteor:
    """Runs METEOR while it lives; starting it takes some seconds.

    METEOR's corpus score is no mean: it is computed from sums over the captions. They are kept
    here, so that the score of any selection of images can be asked for.

    Raises:
        CaptionerError: Java is not installed.

    Source: Denkowski and Lavie 2014, "Meteor Universal: Language Specific Translation Evaluation
    for Any Target Language".

    Example:
        >>> meteor = Meteor()  # doctest: +SKIP
        >>> meteor.scores(meteor.statistics(["a dog"], [["a dog"]]))  # doctest: +SKIP
        array([1.])
    """

    def __init__(self) -> None:
        if not self.is_available():
            raise CaptionerError("METEOR needs Java: install a Java runtime or leave METEOR out")
        from pycocoevalcap.meteor.meteor import Meteor as CocoMeteor

        self._program: Any = CocoMeteor()

    @staticmethod
    def is_available() -> bool:
        """Tell whether Java is installed."""
        return shutil.which("java") is not None

    def statistics(
        self, captions: Sequence[str], references: Sequence[Sequence[str]]
    ) -> np.ndarray:
        """Match captions with references.

        Args:
            captions: I captions, words separated by single spaces.
            references: the references of each.

        Returns:
            (I, 23) float64, statistics whose sums over captions give corpus scores.

        Raises:
            CaptionerError: the Java program does not answer.
        """
        try:
            lines = [
                self._program._stat(caption, [text.replace("|||", " ") for text in texts])
                for caption, texts in zip(captions, references, strict=True)
            ]
            table = np.array([line.split() for line in lines], dtype=np.float64).reshape(-1, 23)
        except (OSError, ValueError) as error:
            raise CaptionerError(
                "the METEOR program failed: check that Java runs and has 2 GB of memory"
            ) from error
        # The program counts no chunk where caption and reference match as wholes.
        whole = (
            (table[:, _MATCHED] == table[:, _LENGTH])
            & (table[:, _REFERENCE_MATCHED] == table[:, _REFERENCE_LENGTH])
            & (table[:, _CHUNKS] == 1)
        )
        table[whole, _CHUNKS] = 0
        return table

    def scores(self, sums: np.ndarray) -> np.ndarray:
        """Compute scores from statistics.

        Args:
            sums: (B, 23), rows of statistics or sums of them.

        Returns:
            (B,) float64.
        """
        rows = (" ".join(f"{value:.1f}" for value in row) for row in sums)
        process = self._program.meteor_p
        with self._program.lock:
            process.stdin.write(f"EVAL ||| {' ||| '.join(rows)}\n".encode())
            process.stdin.flush()
            scores = [float(process.stdout.readline()) for _ in sums]
            process.stdout.readline()  # the score of all rows together
        return np.array(scores)
