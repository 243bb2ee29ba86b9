"""The words of a captioning model, and their ids.

`keras_nlp.tokenizers.WordPieceTokenizer` returns the same ids for words of the vocabulary (a test
checks this), but is unsuitable: importing keras_nlp imports TensorFlow, which takes seconds before
the first caption; it turns every punctuation mark into a word, so that most sentences of Flickr8k
would end with `<unk>` for the full stop; and its `detokenize` keeps the special tokens.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from captioner.errors import CaptionerError
from captioner.replacing import replacing
from captioner.text.tokenizer import join_words, tokenize

SPECIAL_TOKENS = ("<pad>", "<start>", "<end>", "<unk>")


class Vocabulary:
    """Mapping between words and ids: four special tokens, then words by descending frequency.

    Words of equal frequency are in alphabetical order, so that equal counts give equal ids.

    Args:
        counts: Number of occurrences of each word; its keys become the words.

    Attributes:
        words: Tuple of all words, including special tokens; `words[i]` has the id i.
        counts: Dict from word to count, in the order of the ids, without the special tokens.
        pad_id, start_id, end_id, unk_id: Ids of the special tokens: 0, 1, 2, 3.
        unspoken_ids: Ids that no caption may contain: all special tokens except the end.

    Example:
        >>> vocabulary = Vocabulary.build([["a", "dog"], ["a", "cat"]], min_count=1)
        >>> vocabulary.encode(["a", "dog", "barks"])
        [4, 6, 3]
        >>> vocabulary.decode([1, 4, 6, 2, 0])
        ['a', 'dog']
    """

    tokenizer = "words"
    pad_id, start_id, end_id, unk_id = range(4)
    unspoken_ids = (pad_id, start_id, unk_id)

    def __init__(self, counts: Mapping[str, int]):
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        self.counts = {word: count for word, count in ranked if word not in SPECIAL_TOKENS}
        self.words = (*SPECIAL_TOKENS, *self.counts)
        self._ids = {word: id_ for id_, word in enumerate(self.words)}

    @classmethod
    def build(cls, captions: Iterable[Sequence[str]], min_count: int = 5) -> "Vocabulary":
        """Count the words of captions and keep the frequent ones.

        Args:
            captions: Tokenized captions, from the train split only: a word that the model never
                sees in training must remain `<unk>`, or validation scores would be too high.
            min_count: Minimum number of occurrences; rarer words become `<unk>`.

        Returns:
            The vocabulary.

        Raises:
            CaptionerError: If no word occurs `min_count` times.

        Example:
            >>> len(Vocabulary.build([["a", "dog"], ["a", "cat"]], min_count=2))
            5
        """
        counts = Counter(word for caption in captions for word in caption)
        frequent = {word: count for word, count in counts.items() if count >= min_count}
        if not frequent:
            raise CaptionerError(
                f"no word occurs {min_count} times in the train captions: "
                "give more captions or a smaller min_count"
            )
        return cls(frequent)

    def encode(self, words: Iterable[str]) -> list[int]:
        """Turn words into ids; unknown words become `unk_id`, and no start or end is added.

        Args:
            words: Words of one caption.

        Returns:
            One id for each word.
        """
        return [self._ids.get(word, self.unk_id) for word in words]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Turn ids into words, up to the first `<end>`; `<pad>` and `<start>` are dropped.

        Args:
            ids: Integers in [0, len(vocabulary)), for example one row of a NumPy array.

        Returns:
            The words, including `<unk>`.

        Raises:
            CaptionerError: If an id is not in the vocabulary.
        """
        words: list[str] = []
        for id_ in ids:
            if id_ == self.end_id:
                break
            if not 0 <= id_ < len(self.words):
                raise CaptionerError(
                    f"word id {id_} is not among the {len(self.words)} ids of the vocabulary: "
                    "use weights and vocabulary from the same model"
                )
            if id_ not in (self.pad_id, self.start_id):
                words.append(self.words[id_])
        return words

    def word_lengths(self, ids: Iterable[int]) -> list[int]:
        """Return the number of tokens of each word that `decode` returns: one."""
        return [1] * len(self.decode(ids))

    def token_limit(self, words: int) -> int:
        """Return the maximum number of tokens for a maximum number of words: the same."""
        return words

    def split(self, sentence: str) -> list[str]:
        """Split a sentence into words; see `tokenize`."""
        return tokenize(sentence)

    def join(self, words: Sequence[str]) -> str:
        """Join words into a sentence; see `join_words`."""
        return join_words(words)

    def with_counts(self, counts: Mapping[str, int]) -> "Vocabulary":
        """Return a vocabulary of the same kind with other words."""
        return Vocabulary(counts)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vocabulary as JSON, one word and its count per line, atomically.

        Args:
            path: File to write, in an existing folder.

        Raises:
            CaptionerError: If the file cannot be written.
        """
        content = {"special": SPECIAL_TOKENS, "words": self.counts}
        try:
            with replacing(path) as partial:
                partial.write_text(
                    json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
                )
        except UnicodeEncodeError as error:
            raise CaptionerError(f"cannot write the vocabulary {path}: {error}") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Vocabulary":
        """Read a vocabulary that `save` wrote.

        Args:
            path: JSON file.

        Returns:
            A vocabulary equal to the saved one: the same words with the same ids.

        Raises:
            CaptionerError: If the file is missing or broken, lacks special tokens, or has
                duplicate words or words out of order.
        """
        mend = "restore it from its model"
        try:
            text = Path(path).read_text(encoding="utf-8")
            content = json.loads(text, object_pairs_hook=_refuse_duplicates)
        except OSError as error:
            raise CaptionerError(f"cannot read {path} ({error.strerror}): {mend}") from error
        except RecursionError as error:
            raise CaptionerError(f"{path} is nested too deeply: {mend}") from error
        except ValueError as error:
            raise CaptionerError(f"{path} is not a vocabulary ({error}): {mend}") from error
        if not isinstance(content, dict) or content.get("special") != list(SPECIAL_TOKENS):
            tokens = " ".join(SPECIAL_TOKENS)
            raise CaptionerError(f"{path} lacks the special tokens {tokens}: {mend}")
        counts = content.get("words")
        if not isinstance(counts, dict) or not all(type(n) is int for n in counts.values()):
            raise CaptionerError(f"{path} lacks a count for each of its words: {mend}")
        vocabulary = cls(counts)
        if list(vocabulary.counts) != list(counts):
            raise CaptionerError(
                f"the words of {path} are not in the order of their counts: {mend}"
            )
        return vocabulary

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Vocabulary)
            and other.tokenizer == self.tokenizer
            and self.counts == other.counts
        )

    def __hash__(self) -> int:
        return hash(self.words)

    def __repr__(self) -> str:
        return f"Vocabulary of {len(self)} words"


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    twice = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
    if twice:
        raise ValueError(f'"{twice[0]}" occurs twice')
    return dict(pairs)
