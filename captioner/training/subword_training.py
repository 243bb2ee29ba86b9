"""Learning of a list of pieces of words from captions, by keras_nlp."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from captioner.datasets.mixture import Mixture, Part
from captioner.engines.runtime import tensorflow_logs_hidden
from captioner.errors import CaptionerError
from captioner.text.subwords import GOES_ON, Subwords, split_words
from captioner.text.vocabulary import SPECIAL_TOKENS

_LEAST = 10  # times that the learner wants a piece to occur
_AT_ONCE = 4096  # words that it counts at once


def split_captions(mixture: Mixture, keep_case: bool) -> Mixture:
    """Split the captions of data sets into words as `Subwords` does; readers do so as for English.

    Args:
        mixture: The data sets.
        keep_case: As of `split_words`.
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
    """Learn the pieces of which captions are made.

    All characters that occur often enough are pieces, so that a new word can be written; longer
    pieces are there if captions use them.

    Args:
        captions: Captions of the train split as words.
        size: Number of pieces, about; characters may bring more.
        min_count: Rarer characters make a word `<unk>`; rarer pieces are none.
        max_length: Words of a caption that are read.
        keep_case: As of `split_words`.

    Raises:
        CaptionerError: TensorFlow Text is missing, or no word occurs often enough.

    Source: `compute_word_piece_vocabulary` of keras_nlp, which is the learner of TensorFlow Text.
    """
    captions = list(captions)
    words = Counter(word for caption in captions for word in caption)
    characters = Counter[str]()  # as pieces: those that begin a word, and those that go on
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
    """Return how often each piece occurs, and how many the longest caption has."""
    vocabulary = Subwords(dict.fromkeys(pieces, 1))
    counts, most = Counter(dict.fromkeys(pieces, 0)), 1
    for caption in captions:
        ids = vocabulary.encode(caption[:max_length])
        counts.update(vocabulary.words[id_] for id_ in ids if id_ != vocabulary.unk_id)
        most = max(most, len(ids))
    return counts, most


def _learn(words: dict[str, int], size: int, min_count: int) -> list[str]:
    """Return the pieces that keras_nlp finds, without special ones."""
    try:
        with tensorflow_logs_hidden():
            import tensorflow as tf
            import tensorflow_text  # noqa: F401  # keras_nlp does without it until it is called
            from keras_nlp.tokenizers import compute_word_piece_vocabulary
    except ImportError as error:
        raise CaptionerError(
            f"tokenizer: wordpiece needs {error.name}: `pip install tensorflow-text` (on Linux and "
            "macOS; on Windows train in WSL; captions are written without it everywhere)"
        ) from error
    text = tf.constant([word for word, count in sorted(words.items()) for _ in range(count)])
    # The learner leaves out what occurs fewer than ten times; of small sets it reads all again.
    times = math.ceil(_LEAST / min_count)
    dataset = tf.data.Dataset.from_tensor_slices(text).batch(_AT_ONCE).repeat(times)
    found: list[str] = compute_word_piece_vocabulary(
        dataset, size, split=False, reserved_tokens=list(SPECIAL_TOKENS)
    )
    return [piece for piece in found if piece not in SPECIAL_TOKENS and piece != GOES_ON]
