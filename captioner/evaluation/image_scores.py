"""Scores of each single image, with smoothed BLEU by NLTK, and tables of them."""

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from captioner.errors import CaptionerError
from captioner.evaluation.caption_files import write_whole
from captioner.evaluation.evaluation import Evaluation
from captioner.evaluation.ngrams import ORDERS
from captioner.evaluation.tokenization import caption_splitter

# Names of NLTK's methods, which are numbered as in Chen and Cherry 2014.
_METHODS = {"epsilon": "method1", "add-one": "method2", "nist": "method3"}
SMOOTHINGS = tuple(_METHODS)
_WEIGHTS = ((1.0,), (1 / 2,) * 2, (1 / 3,) * 3, (1 / 4,) * 4)


def sentence_bleu(
    caption: str, references: Sequence[str], smoothing: str = "add-one"
) -> tuple[float, float, float, float]:
    """Score one caption by BLEU-1 to BLEU-4.

    Corpus BLEU sums matches over all captions before it divides. For a single caption, which seldom
    has a 4-gram of a reference, it is mostly 0. So the counts are smoothed.

    Args:
        caption: Caption, words joined by single spaces.
        references: One or more references, in the same form.
        smoothing: "add-one" adds one to matches and n-grams of order 2 and higher (Lin and Och
            2004); "epsilon" counts 0.1 instead of no match; "nist" counts 1/2, 1/4, ... for each
            order without a match, as mteval-v13a does.

    Returns:
        BLEU-1 to BLEU-4, 0 to 1. As in NLTK, a caption with fewer words than an order counts as one
        n-gram of that order, without a match.

    Raises:
        CaptionerError: If there is no such smoothing, or no reference.

    Source: Lin and Och 2004, "ORANGE: a Method for Evaluating Automatic Evaluation Metrics for
    Machine Translation"; Chen and Cherry 2014, "A Systematic Comparison of Smoothing Techniques for
    Sentence-Level BLEU".

    Example:
        >>> [round(score, 3) for score in sentence_bleu("a dog runs", ["a dog sleeps"])]
        [0.667, 0.667, 0.606, 0.577]
    """
    # NLTK takes a second to import.
    from nltk.translate.bleu_score import SmoothingFunction
    from nltk.translate.bleu_score import sentence_bleu as score

    if smoothing not in _METHODS:
        raise CaptionerError(
            f'there is no smoothing "{smoothing}": choose one of {", ".join(SMOOTHINGS)}'
        )
    if not references:
        raise CaptionerError("no references for a caption: give at least one")
    words = caption.split()
    truths = [reference.split() for reference in references]
    if not set(words).intersection(*[set().union(*truths)]):
        return (0.0, 0.0, 0.0, 0.0)
    scores = score(truths, words, _WEIGHTS, getattr(SmoothingFunction(), _METHODS[smoothing]))
    one, two, three, four = map(float, scores)
    return one, two, three, four


def image_scores(evaluation: Evaluation, smoothing: str = "add-one") -> dict[str, dict[str, float]]:
    """Score the caption of each single image.

    Args:
        evaluation: Evaluation of the captions.
        smoothing: Smoothing of the BLEU of a single caption, see `sentence_bleu`.

    Returns:
        Fractions by metric for each image id, in the order of the evaluation's metrics. METEOR,
        ROUGE-L and CIDEr are those of the evaluation; for ROUGE-L and CIDEr, the mean over images
        equals its score. BLEU is sentence BLEU, and its mean does not equal the corpus BLEU.

    Raises:
        CaptionerError: If there is no such smoothing.

    Example:
        >>> from captioner.evaluation.evaluation import evaluate_captions
        >>> captions = {"1": "A dog runs.", "2": "A cat."}
        >>> evaluation = evaluate_captions(captions, {"1": ["A dog runs."], "2": ["Two cats."]})
        >>> scores = image_scores(evaluation)
        >>> scores["1"]["BLEU-2"], scores["2"]["ROUGE-L"]
        (1.0, 0.0)
    """
    split = caption_splitter(evaluation.tokenization)
    scores = {}
    for row, (image, caption) in enumerate(evaluation.captions.items()):
        texts = [split(text) for text in evaluation.references[image]]
        own = {name: float(metric.image_scores[row]) for name, metric in evaluation.metrics.items()}
        bleu = sentence_bleu(split(caption), texts, smoothing)
        own |= {f"BLEU-{order}": bleu[order - 1] for order in ORDERS}
        scores[image] = own
    return scores


def write_image_scores(
    evaluation: Evaluation, path: str | os.PathLike[str], smoothing: str = "add-one"
) -> None:
    """Write the scores of each image as a table, atomically.

    Args:
        evaluation: Evaluation of the captions.
        path: Path of a `.csv` file with a row for each image; or of a `.json` file with the name
            of the smoothing and a list of images, which also have their references.
        smoothing: Smoothing of the BLEU of a single caption, see `sentence_bleu`.

    Raises:
        CaptionerError: If the file has another suffix or cannot be written, or there is no such
            smoothing.
    """
    kind = Path(path).suffix.lower()
    if kind not in (".csv", ".json"):
        raise CaptionerError(f"{path}: name a .csv or .json file for the scores of each image")
    scores = image_scores(evaluation, smoothing)
    # The prefix prevents confusion of sentence BLEU with the BLEU of all captions.
    rows: list[dict[str, Any]] = [
        {
            "image": image,
            "caption": evaluation.captions[image],
            **{f"sentence {n}" if "BLEU" in n else n: round(v, 6) for n, v in own.items()},
        }
        for image, own in scores.items()
    ]
    if kind == ".csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(path, text.getvalue())
        return
    images = [{**row, "references": evaluation.references[row["image"]]} for row in rows]
    content = {"name": evaluation.name, "smoothing": smoothing, "images": images}
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
