"""Detection of English sentences, for metrics and rules that support only English."""

from collections.abc import Iterable

from captioner.text.stems import FUNCTION_WORDS
from captioner.text.tokenizer import tokenize

# Common in English captions, but not words of French, German, Spanish, Italian or Dutch.
_OWN = frozenset("the and are with his her their from that which through they while".split())  # noqa: SIM905
_LEAST_OWN = 0.02
# Share of all function words, some of which also exist in other languages ("a", "in", "on"): 0.43
# in Flickr8k's captions, 0.03 to 0.15 in a few French, German, Italian and Dutch captions.
_LEAST = 0.25


def is_english(sentences: Iterable[str]) -> bool:
    """Return whether sentences are English, by the share of English function words.

    Args:
        sentences: Sentences as people write them; more sentences are more reliable, and single
            words are not enough.

    Example:
        >>> is_english(["A dog on a beach."]), is_english(["Un chien à la plage."])
        (True, False)
    """
    words = [word for sentence in sentences for word in tokenize(sentence)]
    own = sum(word in _OWN for word in words)
    shared = sum(word in FUNCTION_WORDS for word in words)
    return bool(words) and (own >= _LEAST_OWN * len(words) or shared >= _LEAST * len(words))
