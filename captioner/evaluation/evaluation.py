"""Evaluation of a model's captions for a split of a data set."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from captioner.datasets.dataset import Dataset
from captioner.errors import CaptionerError
from captioner.evaluation.bootstrap import Metric, confidence_intervals
from captioner.evaluation.caption_files import complete_results
from captioner.evaluation.diversity import CaptionVariety, measure_variety
from captioner.evaluation.meteor import Meteor
from captioner.evaluation.references import ReferenceSet
from captioner.evaluation.scores import METRICS, measure_captions, measure_meteor
from captioner.evaluation.tokenization import caption_splitter
from captioner.text.english import is_english


@dataclass(frozen=True)
class Evaluation:
    """Scores, intervals and variety of one system's captions.

    Args:
        name: Name of the system, for reports.
        captions: Raw caption of each image id, in the order of the metrics' rows.
        references: Raw references of each image id.
        metrics: Metrics by name, in the order of `METRICS`.
        intervals: 95 % interval of each metric.
        variety: Variety and lengths of the captions.
        missing: Images without a caption, which are scored as captions without words.
        tokenization: Name of the tokenization of the captions.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        notes: Sentences about how to read the scores.
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
        """Return scores as fractions by metric, their intervals, and all other results.

        CIDEr is repeated as "CIDEr-D", for compatibility with earlier versions.
        """
        scores = {name: metric.score for name, metric in self.metrics.items()}
        intervals = {name: list(ends) for name, ends in self.intervals.items()}
        return {
            **scores,
            "CIDEr-D": scores["CIDEr"],
            "intervals": {**intervals, "CIDEr-D": intervals["CIDEr"]},
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
        results: One raw caption for each image id.
        references: One or more raw captions for each of the same ids.
        name: Name of the system, for errors and reports.
        training_captions: Raw captions of its training, to find which captions are new.
        tokenization: "ptb" (as in published scores), "karpathy", "unicode" or "none".
        meteor: METEOR program, which supports only English. Without it, or if it fails, METEOR is
            left out, and a note contains the reason.
        allow_missing: If True, score images without a caption as captions without words.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        The evaluation.

    Raises:
        CaptionerError: If captions are for unknown images, or (unless allowed) missing or empty.

    Example:
        >>> evaluation = evaluate_captions({"1.jpg": "A dog."}, {"1": ["A dog.", "One dog."]})
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
    english = is_english(text for texts in references.values() for text in texts)
    if len(truths) == 1:
        notes.append(
            "CIDEr needs several images: it gives more weight to words that are in the references "
            "of few images, and for a single image it is always 0."
        )
    if all(len(texts) == 1 for texts in truths.values()):
        notes.append(
            "Each image has one reference: CIDEr and BLEU are designed for several, and are lower "
            "and less certain with one; published scores use five."
        )
    if meteor is None:
        if not english:
            reason = ": it supports only English, and the references seem to be in another language"
        elif not Meteor.is_available():
            reason = ": it needs Java, which is not installed"
        else:
            reason = ""
        notes.append(f"METEOR was left out{reason}.")
    else:
        try:  # METEOR runs in the user's Java, which may fail; the other metrics remain valid.
            metric = measure_meteor(meteor, list(words.values()), list(truths.values()))
            intervals |= confidence_intervals({"METEOR": metric}, resamples=resamples, seed=seed)
            metrics["METEOR"] = metric
            if not english:
                notes.append(
                    "METEOR supports only English: for captions in another language it compares "
                    "exact words, and its score is not comparable with published ones."
                )
        except CaptionerError as error:
            notes.append(f"METEOR was left out: {error}.")
    if missing:
        notes.append(
            f"{len(missing)} of {len(captions)} images had no caption: scored as captions "
            "without words."
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


def references_of(dataset: Dataset, split: str) -> tuple[ReferenceSet, dict[str, Path]]:
    """Return the references and the images of a split.

    Args:
        dataset: Images with captions.
        split: "train", "val", "test", or "all".

    Returns:
        The references, together with the captions of the train split, and the image paths by id.

    Raises:
        CaptionerError: If the data set has no such split.
    """
    chosen = list(dataset.examples) if split == "all" else dataset.split(split)
    truth = ReferenceSet(
        captions={example.id: list(example.captions) for example in chosen},
        training=[
            caption
            for example in dataset.examples
            if example.split == "train"
            for caption in example.captions
        ],
    )
    return truth, {example.id: Path(example.path) for example in chosen}


def describe_images(
    presets: Sequence[str | Path],
    paths: Mapping[str, Path],
    report: Callable[[str], None],
    **options: Any,
) -> dict[str, str]:
    """Caption images with a model.

    Args:
        presets: Names of bundled presets, or folders; the predictions of several are averaged.
        paths: Image paths by image id.
        report: Function that is called with a line for each unreadable image.
        options: Options of `Captioner.stream`.

    Returns:
        Captions by image id, without unreadable images.
    """
    from captioner.captioner import Captioner
    from captioner.presets.storage import read_preset

    captioner = Captioner([read_preset(preset, task=None) for preset in presets])
    # An animated image gets one caption as a whole, as in a data set.
    described = captioner.describe(paths.values(), every=math.inf, **options)
    image_ids = list(paths)
    captions = {}
    for result in tqdm(described, total=len(paths), unit="image", disable=None):
        image_id = image_ids[result.index]
        if isinstance(result.caption, CaptionerError):
            report(f"{paths[image_id]}: {result.caption}")
        else:
            captions[image_id] = result.caption.text
    return captions
