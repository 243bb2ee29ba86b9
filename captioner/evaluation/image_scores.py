"""Scores of each single image, and tables of them."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

from captioner.errors import CaptionerError
from captioner.evaluation.caption_files import write_whole
from captioner.evaluation.evaluation import Evaluation
from captioner.evaluation.ngrams import ORDERS
from captioner.evaluation.sentence_bleu import sentence_bleu
from captioner.evaluation.tokenization import caption_splitter


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
