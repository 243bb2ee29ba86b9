"""METEOR 1.5, by the Java program that comes with pycocoevalcap."""

import shutil
from collections.abc import Sequence

import numpy as np

from captioner.evaluation.meteor_program import MeteorProgram

# Columns of the statistics that METEOR prints for one caption.
_LENGTH, _REFERENCE_LENGTH, _CHUNKS, _MATCHED, _REFERENCE_MATCHED = 0, 1, 20, 21, 22


class Meteor:
    """Runs METEOR while it lives; starting it takes some seconds.

    METEOR's corpus score is no mean: it is computed from sums over the captions. They are kept
    here, so that the score of any selection of images can be asked for.

    Args:
        timeout: seconds that one answer of the program may take.

    Raises:
        CaptionerError: Java is not installed.

    Source: Denkowski and Lavie 2014, "Meteor Universal: Language Specific Translation Evaluation
    for Any Target Language".

    Example:
        >>> meteor = Meteor()  # doctest: +SKIP
        >>> meteor.scores(meteor.statistics(["a dog"], [["a dog"]]))  # doctest: +SKIP
        array([1.])
    """

    def __init__(self, timeout: float = 120.0) -> None:
        self._program = MeteorProgram(timeout)

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
            CaptionerError: Java does not answer, or not with numbers.
        """
        rows = []
        for caption, texts in zip(captions, references, strict=True):
            asked = [*texts, caption]
            # One line is one question, and bars part its texts.
            clean = [" ".join(text.replace("|||", " ").split()) for text in asked]
            answers = self._program.ask(" ||| ".join(["SCORE", *clean]), answers=1)
            rows.append(self._numbers(answers, columns=23))
        table = np.concatenate(rows)  # (I, 23)
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

        Raises:
            CaptionerError: Java does not answer, or not with numbers.
        """
        rows = (" ".join(f"{value:.1f}" for value in row) for row in sums)
        # After one score a row comes that of all rows together.
        answers = self._program.ask(" ||| ".join(["EVAL", *rows]), answers=len(sums) + 1)
        return self._numbers(answers[:-1], columns=1)[:, 0]

    def _numbers(self, lines: Sequence[str], columns: int) -> np.ndarray:
        """Read lines as float64 (N, columns)."""
        rows = []
        for line in lines:
            try:
                row = [float(value) for value in line.split()]
            except ValueError as error:
                raise self._program.failed(line) from error
            if len(row) != columns:
                raise self._program.failed(line)
            rows.append(row)
        return np.array(rows, dtype=np.float64).reshape(-1, columns)
