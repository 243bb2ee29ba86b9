"""Learns a vocabulary of word pieces from captions, with keras_nlp."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from captioner.datasets.mixture import Mixture, Part
from captioner.engines.runtime import tensorflow_logs_hidden
from captioner.errors import CaptionerError
from captioner.text.subwords import GOES_ON, Subwords, split_words
from captioner.text.vocabulary import SPECIAL_TOKENS

_LEAST = 10  # occurrences of a piece that the learner requires
_AT_ONCE = 4096  # words in a batch of the learner


def split_captions(mixture: Mixture, keep_case: bool) -> Mixture:
    """Split captions into words as `Subwords` does, since readers split them as English text.

    Args:
        mixture: Data sets.
        keep_case: If True, keep capitals, as in `split_words`.
    """
    return Mixture(
        [
            Part(
                part.settings,
                replace(
                    part.dataset,
                    examples=tuple(
                        replace(
                            example,
                            tokens=tuple(
                                tuple(split_words(caption, keep_case))
                                for caption in example.captions
                            ),
                        )
                        for example in part.dataset.examples
                    ),
                ),
            )
            for part in mixture.parts
        ]
    )


def train_subwords(
    captions: Iterable[Sequence[str]],
    size: int,
    min_count: int = 5,
    max_length: int = 18,
    keep_case: bool = False,
) -> Subwords:
    """Learn a vocabulary of word pieces from captions.

    All characters that occur often enough are pieces, so that new words can be written; longer
    pieces are kept if captions use them.

    Args:
        captions: Captions of the train split as words.
        size: Approximate number of pieces; many characters may increase it.
        min_count: Number of times that a character or a longer piece must occur; a word with a
            rarer character becomes `<unk>`.
        max_length: Number of words of a caption that are read, at most.
        keep_case: If True, keep capitals, as in `split_words`.

    Raises:
        CaptionerError: If TensorFlow Text is missing, or no word occurs often enough.

    Source: `compute_word_piece_vocabulary` of keras_nlp, which is the learner of TensorFlow Text.
    """
    captions = list(captions)
    words = Counter(word for caption in captions for word in caption)
    characters = Counter[str]()  # as pieces: those at the start of a word, and those after it
    known = Counter[str]()
    for word, count in words.items():
        for place, character in enumerate(word):
            characters[f"{GOES_ON if place else ''}{character}"] += count
            known[character] += count
    alphabet = {piece for piece in characters if known[piece.removeprefix(GOES_ON)] >= min_count}
    writable = {
        word: count
        for word, count in words.items()
        if all(known[character] >= min_count for character in word)
    }
    if not writable:
        raise CaptionerError(
            f"no word has characters that occur {min_count} times in the train captions: give more "
            "captions or a smaller min_count"
        )
    found = {*_learn(writable, size, min_count), *alphabet}
    used = _count(found, captions, max_length)[0]
    counts, most = _count(
        {piece for piece in found if piece in alphabet or used[piece] >= min_count},
        captions,
        max_length,
    )
    return Subwords(counts, most, keep_case)


def _count(
    pieces: set[str], captions: Sequence[Sequence[str]], max_length: int
) -> tuple[Counter[str], int]:
    """Return how often each piece occurs, and the number of pieces of the longest caption."""
    vocabulary = Subwords(dict.fromkeys(pieces, 1))
    counts, most = Counter(dict.fromkeys(pieces, 0)), 1
    for caption in captions:
        ids = vocabulary.encode(caption[:max_length])
        counts.update(vocabulary.words[id_] for id_ in ids if id_ != vocabulary.unk_id)
        most = max(most, len(ids))
    return counts, most


def _learn(words: dict[str, int], size: int, min_count: int) -> list[str]:
    """Return the pieces that keras_nlp learns, without special tokens."""
    try:
        with tensorflow_logs_hidden():
            import tensorflow as tf
            import tensorflow_text  # noqa: F401  # keras_nlp misses it only when it is called
            from keras_nlp.tokenizers import compute_word_piece_vocabulary
    except ImportError as error:
        raise CaptionerError(
            f"tokenizer: wordpiece needs {error.name}: `pip install tensorflow-text` (on Linux and "
            "macOS; on Windows train in WSL; captioning works everywhere without it)"
        ) from error
    text = tf.constant([word for word, count in sorted(words.items()) for _ in range(count)])
    # The learner drops pieces with fewer than ten occurrences; for a smaller min_count, repeat the
    # data so that rarer pieces reach ten.
    times = math.ceil(_LEAST / min_count)
    dataset = tf.data.Dataset.from_tensor_slices(text).batch(_AT_ONCE).repeat(times)
    found: list[str] = compute_word_piece_vocabulary(
        dataset, size, split=False, reserved_tokens=list(SPECIAL_TOKENS)
    )
    return [piece for piece in found if piece not in SPECIAL_TOKENS and piece != GOES_ON]
