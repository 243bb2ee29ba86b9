"""Pieces of words, for captions in any language.

WordPiece (Schuster and Nakajima 2012; Wu et al. 2016) writes a word as the longest pieces that are
known, "##" before those that go on with it: "triangles" is "triangle ##s". Of the ways to do so it
is the one that needs least when captions are written: a list of pieces, and this file. A
SentencePiece model needs its library or a Viterbi search, and byte-pair encoding its merges; pieces
of bytes may be no characters. Training learns the list with keras_nlp; see
`captioner.training.subword_training`.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from captioner.text.unspaced import needs_blank, space_out
from captioner.text.vocabulary import Vocabulary

WORDPIECE = "wordpiece"
GOES_ON = "##"  # before a piece that is not the first of its word
_APOSTROPHES = "'’ʼ＇"
_KEPT_MARKS = "%&@/_·"
_DASHES = "-‐‑"


def split_words(sentence: str, keep_case: bool = False) -> list[str]:
    """Split a sentence of any language into words.

    Words are what stands between blanks, without sentence marks and brackets. An apostrophe within
    a word ends one that joins the next ("l'", "eau"), a hyphen within a word stays, and so do marks
    between figures ("3,5"). Each character of a script without blanks is a word. The text is
    normalised (NFC), control characters and anything else unprintable count as blanks.

    Args:
        sentence: As people write it.
        keep_case: Leave capitals as they are, as German needs it; else the words are lower-case.

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
    """Write words as a sentence for people; `split_words` gives them back.

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
    """A vocabulary of pieces of words; words go in and words come out.

    Args:
        counts: How often each piece occurs; "##" comes before those that go on with a word.
        most_pieces: Pieces of the longest caption that training reads.
        keep_case: As of `split_words`.

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
        """What a preset's config says beside the pieces."""
        return {
            "name": self.tokenizer,
            "most_pieces": self.most_pieces,
            "keep_case": self.keep_case,
        }

    def with_counts(self, counts: Mapping[str, int]) -> "Subwords":
        """Return the same with other pieces."""
        return Subwords(counts, self.most_pieces, self.keep_case)

    def token_limit(self, words: int) -> int:
        """Return how many pieces captions of at most so many words may have."""
        return max(words, self.most_pieces)

    def split(self, sentence: str) -> list[str]:
        """Split a sentence into words; see `split_words`."""
        return split_words(sentence, self.keep_case)

    def join(self, words: Sequence[str]) -> str:
        """Write words as a sentence; see `write_words`."""
        return write_words(words)

    def encode(self, words: Iterable[str]) -> list[int]:
        """Turn words into the ids of their pieces; a word that has none is one `unk_id`."""
        return [id_ for word in words for id_ in self._encode_word(word)]

    def _encode_word(self, word: str) -> list[int]:
        """Take the longest piece that fits, then the longest that goes on with it."""
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
        """Turn ids of pieces into words, up to the first `<end>`.

        Raises:
            CaptionerError: As of `Vocabulary.decode`.
        """
        words: list[str] = []
        for piece in super().decode(ids):
            if piece.startswith(GOES_ON) and words:
                words[-1] += piece.removeprefix(GOES_ON)
            else:
                words.append(piece.removeprefix(GOES_ON))
        return words

    def word_lengths(self, ids: Iterable[int]) -> list[int]:
        """Return the number of pieces of each word that `decode` gives."""
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
        return f"Subwords of {len(self)} pieces"


def _with_neighbours(text: str) -> Iterable[tuple[str, str, str]]:
    return zip(f" {text}", text, f"{text[1:]} ", strict=False)


def _kept(before: str, char: str, after: str) -> str:
    """Return a character as it stays in a normalised sentence."""
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
