"""The scores of a set of captions: BLEU, ROUGE-L, CIDEr and CIDEr-D in one call."""

from collections.abc import Mapping, Sequence

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from captioner.errors import CaptionerError


def score_captions(
    candidates: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    *,
    tokenization: str = "none",
) -> dict[str, float]:
    """Scores one caption an image against the references of the same images.

    Args:
        candidates: One caption for every image id.
        references: The reference captions of every image id, one or more.
        tokenization: `"none"`: captions are words joined by single spaces already.

    Returns:
        Fractions as pycocoevalcap gives them, under BLEU-1 ... BLEU-4, ROUGE-L, CIDEr, CIDEr-D.

    Raises:
        CaptionerError: The two sets do not hold the same images, or hold none.

    Example:
        >>> scores = score_captions({"1": "a dog runs"}, {"1": ["a dog runs", "the dog"]})
        >>> round(scores["BLEU-1"], 6)
        1.0
    """
    if tokenization != "none":
        raise CaptionerError(f"Unknown tokenization '{tokenization}'; choose none.")
    if not candidates or candidates.keys() != references.keys():
        raise CaptionerError(
            "Candidates and references must hold the same images, at least one; "
            f"got {len(candidates)} and {len(references)}."
        )
    hypotheses = {image: [caption] for image, caption in candidates.items()}
    truths = {image: list(references[image]) for image in candidates}
    bleu, _ = Bleu(4).compute_score(truths, hypotheses, verbose=0)
    rouge, _ = Rouge().compute_score(truths, hypotheses)
    cider, _ = Cider().compute_score(truths, hypotheses)
    scores = {f"BLEU-{n}": float(score) for n, score in enumerate(bleu, start=1)}
    return scores | {"ROUGE-L": float(rouge), "CIDEr": float(cider), "CIDEr-D": float(cider)}
