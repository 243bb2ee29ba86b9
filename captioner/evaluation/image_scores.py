"""The scores of each image by itself, and tables of them."""

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
    """Score the caption of each image by itself.

    Args:
        evaluation: what was measured.
        smoothing: of the BLEU of a single caption, see `sentence_bleu`.

    Returns:
        For each image id fractions by metric, in the order of the evaluation's metrics. METEOR,
        ROUGE-L and CIDEr are those of the evaluation; the mean of ROUGE-L and CIDEr over images is
        its score. BLEU is that of a sentence, whose mean is not the BLEU of all captions.

    Raises:
        CaptionerError: there is no such smoothing.

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
    """Write the scores of each image as a table, the whole file or nothing.

    Args:
        evaluation: what was measured.
        path: `.csv`, a row for each image; or `.json`, an object with the smoothing's name and a
            list of images, which have their references, too.
        smoothing: of the BLEU of a single caption, see `sentence_bleu`.

    Raises:
        CaptionerError: the file has another suffix or cannot be written, or there is no such
            smoothing.
    """
    kind = Path(path).suffix.lower()
    if kind not in (".csv", ".json"):
        raise CaptionerError(f"{path}: scores of each image are written as .csv or .json")
    scores = image_scores(evaluation, smoothing)
    # No reader shall take the BLEU of a sentence for the BLEU of all captions.
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
