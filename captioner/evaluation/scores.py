"""The scores of a set of captions: BLEU, METEOR, ROUGE-L and CIDEr."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from captioner.errors import CaptionerError
from captioner.evaluation.bleu import bleu_from_statistics, bleu_statistics
from captioner.evaluation.bootstrap import Metric
from captioner.evaluation.cider import CiderD
from captioner.evaluation.meteor import Meteor
from captioner.evaluation.ngrams import ORDERS
from captioner.evaluation.rouge import rouge_l
from captioner.evaluation.tokenization import caption_splitter

METRICS = (*(f"BLEU-{order}" for order in ORDERS), "METEOR", "ROUGE-L", "CIDEr")


def measure_captions(
    candidates: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    *,
    meteor: Meteor | None = None,
) -> dict[str, Metric]:
    """Measure one caption per image against the references of the same image.

    Args:
        candidates: One caption for each of I image ids, words joined by single spaces.
        references: One or more references for each of the same ids, in the same form.
        meteor: METEOR program; without it METEOR is left out.

    Returns:
        Metrics by their names in `METRICS`. CIDEr is CIDEr-D, as coco-caption and the literature
        report it under this name, with the document frequencies of these references.

    Raises:
        CaptionerError: If the two have different images, or no images.
    """
    if not candidates or candidates.keys() != references.keys():
        raise CaptionerError(
            f"{len(candidates)} captions and references of {len(references)} images: "
            "give both for the same images, at least one"
        )
    captions = list(candidates.values())
    truths = [list(references[image]) for image in candidates]
    cider = CiderD(dict(zip(candidates, truths, strict=True)))
    bleu = bleu_statistics(captions, cider.references).table()  # (I, 10)
    metrics = {
        f"BLEU-{order}": Metric(
            bleu, partial(_bleu, order=order), bleu_from_statistics(bleu)[:, order - 1]
        )
        for order in ORDERS
    }
    if meteor is not None:
        metrics["METEOR"] = measure_meteor(meteor, captions, truths)
    rouge = [rouge_l(caption, texts) for caption, texts in zip(captions, truths, strict=True)]
    metrics["ROUGE-L"] = Metric.mean(np.array(rouge))
    metrics["CIDEr"] = Metric.mean(cider.score(list(candidates), captions))
    return metrics


def measure_meteor(
    meteor: Meteor, captions: Sequence[str], references: Sequence[Sequence[str]]
) -> Metric:
    """Measure METEOR of captions against the references of each.

    Raises:
        CaptionerError: If its program does not answer.
    """
    statistics = meteor.statistics(captions, references)
    return Metric(statistics, meteor.scores, meteor.scores(statistics))


def _bleu(sums: np.ndarray, order: int) -> np.ndarray:
    return bleu_from_statistics(sums)[:, order - 1]


def score_captions(
    candidates: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    *,
    tokenization: str = "none",
    meteor: Meteor | None = None,
) -> dict[str, float]:
    """Score one caption per image against the references of the same image.

    Args:
        candidates: One caption for each image id.
        references: One or more references for each of the same ids.
        tokenization: "none" for words joined by spaces, "ptb" for the words of published scores,
            "karpathy" for the words of the training captions.
        meteor: METEOR program; without it METEOR is left out.

    Returns:
        Fractions as in pycocoevalcap: BLEU-1 to BLEU-4, METEOR (if its program is given), ROUGE-L
        and CIDEr (which is CIDEr-D).

    Raises:
        CaptionerError: If the two have different images or no images, or the tokenization is
            unknown.

    Example:
        >>> scores = score_captions({"1": "a dog runs"}, {"1": ["a dog runs", "the dog"]})
        >>> round(scores["BLEU-1"], 6)
        1.0
    """
    split = caption_splitter(tokenization)
    metrics = measure_captions(
        {image: split(caption) for image, caption in candidates.items()},
        {image: [split(text) for text in texts] for image, texts in references.items()},
        meteor=meteor,
    )
    return {name: metrics[name].score for name in METRICS if name in metrics}
