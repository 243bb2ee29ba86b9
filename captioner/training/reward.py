"""What a sampled caption earns in self-critical training."""

from collections.abc import Sequence

import numpy as np

from captioner.datasets.caption_dataset import CaptionExample
from captioner.evaluation.bleu import bleu_from_statistics, bleu_statistics
from captioner.evaluation.cider import CiderD

# A word of its own for the end of a sentence, so that n-grams tell a good ending from a bad one.
_END = "<end>"


class CaptionReward:
    """CIDEr-D of a caption against its picture's captions, mixed with BLEU-4.

    The end of a sentence counts as a word, in captions and references: without it, models learn to
    break off ("a man with a"), which costs them no n-gram (Rennie et al. 2017 count it too).

    Args:
        examples: The train split; document frequencies are counted over it.
        bleu_weight: How much of BLEU-4 (0 to 1) is added to CIDEr-D (0 to 10).

    Example:
        >>> words = (("a", "dog", "runs"), ("the", "dog", "is", "running"))
        >>> examples = [CaptionExample("1", "1.jpg", ("", ""), words, "train")]
        >>> reward = CaptionReward(examples, bleu_weight=1.0)
        >>> reward.score(["1"], [["a", "dog", "runs"]], [True]).round(2).tolist()
        [1.0]
    """

    def __init__(self, examples: Sequence[CaptionExample], bleu_weight: float = 0.0) -> None:
        self._bleu_weight = bleu_weight
        self._places = {example.image_id: place for place, example in enumerate(examples)}
        self._cider = CiderD(
            {e.image_id: [" ".join([*words, _END]) for words in e.tokens] for e in examples}
        )

    def score(
        self, image_ids: Sequence[str], captions: Sequence[Sequence[str]], ended: Sequence[bool]
    ) -> np.ndarray:
        """Rewards of captions.

        Args:
            image_ids: N ids of the train split, the picture of each caption.
            captions: N captions, as words.
            ended: Whether each caption came to its end.

        Returns:
            float64 (N,).
        """
        sentences = [
            " ".join([*words, _END] if end else words)
            for words, end in zip(captions, ended, strict=True)
        ]
        rewards = self._cider.score(image_ids, sentences)
        if self._bleu_weight:
            places = np.array([self._places[image_id] for image_id in image_ids])
            statistics = bleu_statistics(sentences, self._cider.references, places)
            rewards = rewards + self._bleu_weight * bleu_from_statistics(statistics.table())[:, 3]
        return rewards
