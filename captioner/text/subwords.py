"""Subwords, for captions in any language.

WordPiece (Schuster and Nakajima 2012; Wu et al. 2016) divides a word into the longest known
subwords, with "##" before continuations: "triangles" is "triangle ##s". It needs less at inference
than other methods, namely a list of subwords and this file. A SentencePiece model needs its library
or a Viterbi search, and byte-pair encoding needs its merges; byte-level subwords may not be valid
characters. Training learns the list with keras_nlp; see `captioner.training.subword_training`.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from captioner.text.unspaced import needs_blank, space_out
from captioner.text.vocabulary import Vocabulary

WORDPIECE = "wordpiece"
GOES_ON = "##"  # prefix of a subword that is not the first of its word
_APOSTROPHES = "'’ʼ＇"
_KEPT_MARKS = "%&@/_·"
_DASHES = "-‐‑"


def split_words(sentence: str, keep_case: bool = False) -> list[str]:
    """Split a sentence of any language into words.

    Words are separated by spaces; punctuation and brackets are removed. An apostrophe within a word
    ends a word that is joined to the next one ("l'", "eau"). Hyphens within a word remain, and so
    do marks between digits ("3,5"). Each character of a script without spaces is a word. The text
    is normalised (NFC); control characters and other unprintable characters count as spaces.

    Args:
        sentence: Sentence as people write it.
        keep_case: If True, keep capital letters, for example for German; otherwise the words are
            lower-case.

    Example:
        >>> split_words("« L’étoile est-elle à 3,5 m ? »")
        ["l'", 'étoile', 'est-elle', 'à', '3,5', 'm']
        >>> split_words("红色的T恤。")
        ['红', '色', '的', 't', '恤']
    """
    text = unicodedata.normalize("NFC", sentence)
    if not keep_case:
        text = unicodedata.normalize("NFC", text.lower())
    kept = "".join(_kept(before, char, after) for before, char, after in _with_neighbours(text))
    return space_out(kept).split()


def write_words(words: Sequence[str]) -> str:
    """Join words into a sentence; `split_words` is the inverse.

    Example:
        >>> write_words(["une", "étoile", "dans", "l'", "eau"]), write_words(["红", "色"])
        ("une étoile dans l'eau", '红色')
    """
    sentence = ""
    for before, word in pairwise(("", *words)):
        joined = not before or before.endswith("'") or not needs_blank(before, word)
        sentence += word if joined else f" {word}"
    return sentence


class Subwords(Vocabulary):
    """A vocabulary of subwords, with whole words as inputs and outputs.

    Args:
        counts: Number of occurrences of each subword; continuations begin with "##".
        most_pieces: Number of subwords in the longest training caption.
        keep_case: See `split_words`.

    Example:
        >>> vocabulary = Subwords({"triangle": 9, "##s": 3, "deux": 3}, most_pieces=20)
        >>> vocabulary.encode(["deux", "triangles"])
        [6, 4, 5]
        >>> vocabulary.decode([6, 4, 5]), vocabulary.word_lengths([6, 4, 5])
        (['deux', 'triangles'], [1, 2])
    """

    tokenizer = WORDPIECE

    def __init__(
        self, counts: Mapping[str, int], most_pieces: int = 1, keep_case: bool = False
    ) -> None:
        super().__init__(counts)
        self.most_pieces = most_pieces
        self.keep_case = keep_case
        self._longest = max(map(len, self.words))

    @property
    def options(self) -> dict[str, Any]:
        """The tokenizer options in a preset's config."""
        return {
            "name": self.tokenizer,
            "most_pieces": self.most_pieces,
            "keep_case": self.keep_case,
        }

    def with_counts(self, counts: Mapping[str, int]) -> "Subwords":
        """Return a vocabulary of the same kind with other subwords."""
        return Subwords(counts, self.most_pieces, self.keep_case)

    def token_limit(self, words: int) -> int:
        """Return the maximum number of subwords for a maximum number of words."""
        return max(words, self.most_pieces)

    def split(self, sentence: str) -> list[str]:
        """Split a sentence into words; see `split_words`."""
        return split_words(sentence, self.keep_case)

    def join(self, words: Sequence[str]) -> str:
        """Join words into a sentence; see `write_words`."""
        return write_words(words)

    def encode(self, words: Iterable[str]) -> list[int]:
        """Turn words into the ids of their subwords; an unknown word is one `unk_id`."""
        return [id_ for word in words for id_ in self._encode_word(word)]

    def _encode_word(self, word: str) -> list[int]:
        """Take the longest subword that fits, then the longest continuation, and so on."""
        found, start = [], 0
        while start < len(word):
            prefix = GOES_ON if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                id_ = self._ids.get(prefix + word[start:end])
                if id_ is not None and id_ >= len(self.words) - len(self.counts):
                    found.append(id_)
                    start = end
                    break
            else:
                return [self.unk_id]
        return found

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Turn ids of subwords into words, up to the first `<end>`.

        Raises:
            CaptionerError: If an id is not in the vocabulary.
        """
        words: list[str] = []
        for piece in super().decode(ids):
            if piece.startswith(GOES_ON) and words:
                words[-1] += piece.removeprefix(GOES_ON)
            else:
                words.append(piece.removeprefix(GOES_ON))
        return words

    def word_lengths(self, ids: Iterable[int]) -> list[int]:
        """Return the number of subwords of each word that `decode` returns."""
        lengths: list[int] = []
        for piece in super().decode(ids):
            if piece.startswith(GOES_ON) and lengths:
                lengths[-1] += 1
            else:
                lengths.append(1)
        return lengths

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Subwords)
            and self.counts == other.counts
            and self.options == other.options
        )

    def __hash__(self) -> int:
        return hash((self.words, self.most_pieces, self.keep_case))

    def __repr__(self) -> str:
        return f"Subwords of {len(self)} tokens"


def _with_neighbours(text: str) -> Iterable[tuple[str, str, str]]:
    return zip(f" {text}", text, f"{text[1:]} ", strict=False)


def _kept(before: str, char: str, after: str) -> str:
    """Return the replacement of a character in a normalised sentence."""
    within = _is(before, "LNM") and _is(after, "LN")
    if char in _APOSTROPHES:
        return "' " if within else " "
    if char in _DASHES:
        return "-" if within else " "
    if char in ".,:" and before.isdigit() and after.isdigit():
        return char
    dropped = char in "<>" or (_is(char, "P") and char not in _KEPT_MARKS)
    return " " if dropped or not char.isprintable() else char


def _is(char: str, kinds: str) -> bool:
    return unicodedata.category(char)[0] in kinds
