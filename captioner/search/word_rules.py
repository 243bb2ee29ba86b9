"""Search rules about words, for tokens that may be subwords."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from captioner.arrays import Cases, Tokens
from captioner.text.subwords import GOES_ON, Subwords
from captioner.text.unspaced import is_unspaced
from captioner.text.vocabulary import Vocabulary

# Words that never join a word to itself ("a brown and brown dog").
_JOINING = ("and",)
_MAX_LENGTH = 20  # words, the default of `beam_search`


def token_options(vocabulary: Vocabulary, options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert options in words to options of `beam_search` in tokens.

    Args:
        vocabulary: Vocabulary of the decoder.
        options: Options of `search_captions`, including `never`.

    Returns:
        Options of `beam_search`.

    Example:
        >>> found = token_options(Vocabulary({"a": 2, "dog": 1}), {"never": ["dog"]})
        >>> found["suppressed_ids"], found["rules"]
        ((0, 1, 3, 5), None)
    """
    given = dict(options)
    never = [words for text in given.pop("never", ()) if (words := vocabulary.split(text))]
    if isinstance(vocabulary, Subwords):
        most = given.get("max_length", _MAX_LENGTH)
        rules = WordRules(
            vocabulary,
            never,
            min_words=given.pop("min_length", 1),
            max_words=most,
            no_repeat_ngram=given.pop("no_repeat_ngram", 0),
            joining=_JOINING,
            no_double=True,
        )
        return {
            **given,
            "max_length": vocabulary.token_limit(most),
            "suppressed_ids": vocabulary.unspoken_ids,
            "rules": rules,
        }
    single = [words[0] for words in never if len(words) == 1 and words[0] in vocabulary]
    several = [words for words in never if len(words) > 1]
    return {
        "suppressed_ids": (*vocabulary.unspoken_ids, *vocabulary.encode(single)),
        "joining_ids": vocabulary.encode(word for word in _JOINING if word in vocabulary),
        "no_double": True,
        "rules": WordRules(vocabulary, several) if several else None,
        **given,
    }


class WordRules:
    """Rules about whole words, applied to the tokens that would form them.

    A forbidden word is blocked at the token that would complete it, however it is divided into
    subwords. That token then cannot continue to a longer word either, but most whole words are
    tokens of their own.

    Args:
        vocabulary: Vocabulary of the decoder.
        never: Sequences of words that no sentence may contain, in upper or lower case.
        min_words: Minimum number of words in a sentence.
        max_words: Maximum number of words; None for no limit.
        no_repeat_ngram: Length n of word sequences that may not occur twice; 0 for off.
        joining: Words that never join a word to itself.
        no_double: If True, no word may occur twice in a row, except a character of a script
            without spaces, which is often doubled, as in Chinese.

    Example:
        >>> vocabulary = Subwords({"un": 3, "chi": 2, "##en": 2, "chat": 1})
        >>> rules = WordRules(vocabulary, never=[["chien"]])
        >>> rules.forbidden(np.array([[vocabulary.encode(["un"]) + [6]]]))[2].tolist()
        [5]
        >>> vocabulary.words[6], vocabulary.words[5]
        ('chi', '##en')
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        never: Sequence[Sequence[str]] = (),
        *,
        min_words: int = 0,
        max_words: int | None = None,
        no_repeat_ngram: int = 0,
        joining: Sequence[str] = (),
        no_double: bool = False,
    ) -> None:
        self._vocabulary = vocabulary
        self._never = [tuple(word.lower() for word in words) for words in never]
        self._min_words = min_words
        self._max_words = max_words
        self._ngram = no_repeat_ngram
        self._joining = frozenset(joining)
        self._no_double = no_double
        self._begins: dict[str, list[int]] = defaultdict(list)  # tokens that begin a word
        self._goes_on: dict[str, list[int]] = defaultdict(list)  # continuations, by their letters
        pieces = isinstance(vocabulary, Subwords)
        special = len(vocabulary) - len(vocabulary.counts)
        for id_, token in enumerate(vocabulary.words[special:], special):
            if pieces and token.startswith(GOES_ON):
                self._goes_on[token.removeprefix(GOES_ON).lower()].append(id_)
            else:
                self._begins[token.lower()].append(id_)
        self._all_begins = [id_ for ids in self._begins.values() for id_ in ids]

    def forbidden(self, tokens: Tokens) -> Cases:
        """Find the forbidden next tokens of each hypothesis.

        Args:
            tokens: The tokens of each hypothesis so far, int (B, K, L).

        Returns:
            Image, hypothesis and token of each case, int (3, N), without duplicates.
        """
        cases = [
            (image, slot, token)
            for image, slot in np.ndindex(tokens.shape[:2])
            for token in sorted(self._struck(tokens[image, slot].tolist()))
        ]
        return np.array(cases, np.intp).reshape(-1, 3).T

    def _struck(self, token_ids: Sequence[int]) -> set[int]:
        """Return the forbidden next tokens of one hypothesis."""
        words = [word.lower() for word in self._vocabulary.decode(token_ids)]
        struck = {id_ for word in self._banned(words) for id_ in self._begins.get(word, ())}
        if words:
            *before, last = words
            for word in self._banned(before):
                if word.startswith(last) and word != last:
                    struck.update(self._goes_on.get(word[len(last) :], ()))
        if len(words) < self._min_words:
            struck.add(self._vocabulary.end_id)
        if self._max_words is not None and len(words) >= self._max_words:
            struck.update(self._all_begins)
        return struck

    def _banned(self, words: Sequence[str]) -> set[str]:
        """Return the forbidden next words after these complete words."""
        banned = {
            phrase[-1]
            for phrase in self._never
            if tuple(words[len(words) - len(phrase) + 1 :]) == phrase[:-1]
        }
        if self._no_double and words and not is_unspaced(words[-1]):
            banned.add(words[-1])
        if len(words) >= 2 and words[-1] in self._joining:
            banned.add(words[-2])
        if 0 < self._ngram <= len(words):
            begun = words[len(words) - self._ngram + 1 :]
            banned.update(
                words[start + self._ngram - 1]
                for start in range(len(words) - self._ngram + 1)
                if words[start : start + self._ngram - 1] == begun
            )
        return banned
