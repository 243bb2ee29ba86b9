"""Comparison of two systems on the same images, with a paired test."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from captioner.evaluation.bootstrap import PairedDifference, paired_bootstrap
from captioner.evaluation.evaluation import Evaluation, evaluate_captions
from captioner.evaluation.meteor import Meteor
from captioner.evaluation.score_table import comparison_table


@dataclass(frozen=True)
class Comparison:
    """Two evaluations and the paired test of their difference.

    Args:
        first: Evaluation of one system.
        second: Evaluation of the other, on the same images.
        differences: Second minus first, by metric.
    """

    first: Evaluation
    second: Evaluation
    differences: dict[str, PairedDifference]

    def to_text(self) -> str:
        """Return table and notes as text, which is valid Markdown."""
        notes = dict.fromkeys((*self.first.notes, *self.second.notes))
        lines = [comparison_table(self.first, self.second, self.differences), ""]
        return "\n".join(
            [
                *lines,
                f"{len(self.first.captions)} images, {self.first.tokenization} tokens; intervals "
                f"and p by {self.first.resamples} paired bootstrap resamples of the images.",
                *notes,
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return both evaluations, and the difference, its interval and p-value by metric."""
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "differences": {name: asdict(found) for name, found in self.differences.items()},
        }


def compare_captions(
    first: Mapping[str, str],
    second: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    *,
    names: tuple[str, str] = ("first", "second"),
    tokenization: str = "ptb",
    meteor: Meteor | None = None,
    allow_missing: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare the captions of two systems on the same images.

    Args:
        first: One raw caption for each image id.
        second: One raw caption of the other system for each image id.
        references: One or more raw captions for each of the same ids.
        names: Names of the systems, for errors and tables.
        tokenization: "ptb" (as in published scores), "karpathy", "unicode" or "none".
        meteor: METEOR program; without it METEOR is left out.
        allow_missing: If True, score images without a caption as captions without words.
        resamples: Number of bootstrap resamples of the images, the same for both systems.
        seed: Seed of the bootstrap.

    Raises:
        CaptionerError: If captions are for unknown images, or (unless allowed) missing or empty.

    Source: Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation".

    Example:
        >>> truth = {str(n): [f"dog {n} runs on the grass"] for n in range(30)}
        >>> good, bad = ({n: f"dog {n} {text}" for n in truth} for text in ("runs on", "sleeps"))
        >>> found = compare_captions(bad, good, truth, resamples=200).differences["BLEU-2"]
        >>> found.difference > 0, found.p_value < 0.05
        (True, True)
    """
    before, after = (
        evaluate_captions(
            captions,
            references,
            name=name,
            tokenization=tokenization,
            meteor=meteor,
            allow_missing=allow_missing,
            resamples=resamples,
            seed=seed,
        )
        for captions, name in zip((first, second), names, strict=True)
    )
    differences = paired_bootstrap(before.metrics, after.metrics, resamples=resamples, seed=seed)
    return Comparison(before, after, differences)
