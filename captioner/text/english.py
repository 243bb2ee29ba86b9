"""Whether sentences are English: what some of our measures know alone."""

from collections.abc import Iterable

from captioner.text.stems import FUNCTION_WORDS
from captioner.text.tokenizer import tokenize

# Common in English captions, and not words of French, German, Spanish, Italian or Dutch.
_OWN = frozenset("the and are with his her their from that which through they while".split())  # noqa: SIM905
_LEAST_OWN = 0.02
# Of all function words, some of which other languages have ("a", "in", "on"). Flickr8k's captions
# have 0.43, a few French, German, Italian and Dutch ones 0.03 to 0.15.
_LEAST = 0.25


def is_english(sentences: Iterable[str]) -> bool:
    """Tell whether sentences are English, by the share of its function words.

    Args:
        sentences: As people write them; the more, the surer. Single words are not enough.

    Example:
        >>> is_english(["A dog on a beach."]), is_english(["Un chien à la plage."])
        (True, False)
    """
    words = [word for sentence in sentences for word in tokenize(sentence)]
    own = sum(word in _OWN for word in words)
    shared = sum(word in FUNCTION_WORDS for word in words)
    return bool(words) and (own >= _LEAST_OWN * len(words) or shared >= _LEAST * len(words))
