"""A summary of the data of a training, for its user."""

from collections import Counter
from collections.abc import Iterable, Sequence

from captioner.datasets.dataset import Dataset
from captioner.text.vocabulary import Vocabulary

# Lowest number of captions, and how often a word must then occur to be learned.
_LEAST_COUNTS = ((10_000, 5), (2_000, 3), (100, 2), (0, 1))


def least_count(captions: int) -> int:
    """Return how often a word must occur to be learned, by the number of captions.

    In many captions, a word that occurs once or twice is often a typo, and has too few examples to
    be learned. In twenty captions, nearly every word is that rare.

    Example:
        >>> [least_count(captions) for captions in (20, 500, 5_000, 30_000)]
        [1, 2, 3, 5]
    """
    return next(count for captions_, count in _LEAST_COUNTS if captions >= captions_)


def split_sizes(dataset: Dataset) -> str:
    """Count the images or clips of each split.

    Example:
        >>> from captioner.datasets.dataset import Example
        >>> split_sizes(Dataset("mine", (Example("1.jpg", "1.jpg", ("A dog.",)),)))
        'train 1, val 0, test 0'
    """
    sizes = Counter(example.split for example in dataset.examples)
    return ", ".join(f"{split} {sizes[split]}" for split in ("train", "val", "test"))


def word_summary(captions: Iterable[Sequence[str]], vocabulary: Vocabulary) -> str:
    """Report how many words of the captions are learned, and how many become `<unk>`.

    Args:
        captions: Words of each caption of the train split.
        vocabulary: Vocabulary of the decoder.

    Example:
        >>> captions = [["a", "dog"], ["a", "cat"]]
        >>> word_summary(captions, Vocabulary.build(captions, min_count=2))
        '1 word is learned; 2 others are too rare and become <unk>, 50.0 % of the text'
    """
    counts = Counter(word for words in captions for word in words)
    unknown = {word: count for word, count in counts.items() if word not in vocabulary}
    known = len(counts) - len(unknown)
    learnt = "1 word is learned" if known == 1 else f"{known:,} words are learned"
    if not unknown:
        return f"{learnt}, none is too rare"
    share = 100 * sum(unknown.values()) / counts.total()
    others = "1 other is" if len(unknown) == 1 else f"{len(unknown):,} others are"
    become = "becomes" if len(unknown) == 1 else "become"
    return f"{learnt}; {others} too rare and {become} <unk>, {share:.1f} % of the text"
