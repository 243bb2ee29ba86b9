"""An evaluation: all that is measured of one system's captions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from captioner.errors import CaptionerError
from captioner.evaluation.bootstrap import confidence_intervals
from captioner.evaluation.diversity import CaptionVariety, measure_variety
from captioner.evaluation.meteor import Meteor
from captioner.evaluation.metric import Metric
from captioner.evaluation.results import complete_results
from captioner.evaluation.scores import METRICS, measure_captions, measure_meteor
from captioner.evaluation.tokenization import caption_splitter


@dataclass(frozen=True)
class Evaluation:
    """Scores, intervals and variety of one system's captions.

    Args:
        name: of the system, for reports.
        captions: the raw caption of each image id, in the order of the metrics' rows.
        references: the raw references of each.
        metrics: by name, in the order of `METRICS`.
        intervals: the 95 % interval of each metric.
        variety: variety and lengths of the captions.
        missing: images that had no caption and count as captions of no words.
        tokenization: how captions were split into words.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        notes: what a reader of the scores must know, in sentences.
    """

    name: str
    captions: dict[str, str]
    references: dict[str, list[str]]
    metrics: dict[str, Metric]
    intervals: dict[str, tuple[float, float]]
    variety: CaptionVariety
    missing: tuple[str, ...]
    tokenization: str
    resamples: int
    seed: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return scores as fractions under the metrics' names, their intervals, and the rest."""
        return {
            **{name: metric.score for name, metric in self.metrics.items()},
            "intervals": {name: list(ends) for name, ends in self.intervals.items()},
            "name": self.name,
            "images": len(self.captions),
            "references": sum(map(len, self.references.values())),
            "missing": list(self.missing),
            "tokenization": self.tokenization,
            "bootstrap": {"level": 0.95, "resamples": self.resamples, "seed": self.seed},
            "variety": asdict(self.variety),
            "notes": list(self.notes),
        }


def evaluate_captions(
    results: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    *,
    name: str = "the results",
    training_captions: Iterable[str] | None = None,
    tokenization: str = "ptb",
    meteor: Meteor | None = None,
    allow_missing: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Measure one system's captions.

    Args:
        results: one raw caption for each image id.
        references: one or more raw captions for each of the same ids.
        name: of the system, for errors and reports.
        training_captions: raw captions it was trained on, to tell which captions are new.
        tokenization: "ptb" (as published scores), "karpathy" or "none".
        meteor: the METEOR program; without it, or if it fails, METEOR is left out, and a note says
            why.
        allow_missing: count images without a caption as captions of no words.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The evaluation.

    Raises:
        CaptionerError: captions are missing or empty (unless allowed), or for unknown images.

    Example:
        >>> evaluation = evaluate_captions({"1": "A dog."}, {"1": ["A dog.", "One dog."]})
        >>> round(evaluation.metrics["BLEU-2"].score, 6)
        1.0
    """
    captions, missing = complete_results(
        results, references, source=name, allow_missing=allow_missing
    )
    split = caption_splitter(tokenization)
    words = {image: split(caption) for image, caption in captions.items()}
    truths = {image: [split(text) for text in references[image]] for image in captions}
    metrics = measure_captions(words, truths)
    intervals = confidence_intervals(metrics, resamples=resamples, seed=seed)
    notes = ["CIDEr, as coco-caption and the literature compute it, is CIDEr-D."]
    if meteor is None:
        reason = "" if Meteor.is_available() else ": it needs Java, which is not installed"
        notes.append(f"METEOR was left out{reason}.")
    else:
        try:  # Its program is the user's Java, which may fail in the middle; the rest stands.
            metric = measure_meteor(meteor, list(words.values()), list(truths.values()))
            intervals |= confidence_intervals({"METEOR": metric}, resamples=resamples, seed=seed)
            metrics["METEOR"] = metric
        except CaptionerError as error:
            notes.append(f"METEOR was left out: {error}.")
    if missing:
        notes.append(
            f"{len(missing)} of {len(captions)} images had no caption: scored as if of no words."
        )
    known = None if training_captions is None else [split(text) for text in training_captions]
    return Evaluation(
        name=name,
        captions=captions,
        references={image: list(references[image]) for image in captions},
        metrics={key: metrics[key] for key in METRICS if key in metrics},
        intervals={key: intervals[key] for key in METRICS if key in metrics},
        variety=measure_variety(list(words.values()), known),
        missing=missing,
        tokenization=tokenization,
        resamples=resamples,
        seed=seed,
        notes=tuple(notes),
    )
