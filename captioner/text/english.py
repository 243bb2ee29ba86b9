"""English: function words, stems of content words, and how to tell English sentences."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from captioner.text.tokenizer import tokenize

_DANGLING = """
    a an the his its their this these those which who whose and or but nor as while when where
    because than at of in on from with without for to into onto upon toward towards between among
    against beneath beside during is are was were be been being am has have had
"""
_FREE = """
    her him it he she they them that about above across after along around before behind below
    beyond by down inside near next off out outside over past through under underneath up within
    do does did will would can could may
"""

# A sentence that ends with one of these is incomplete: "a man with a".
DANGLING_WORDS = frozenset(_DANGLING.split())
FUNCTION_WORDS = DANGLING_WORDS | frozenset(_FREE.split())


# Words with content in a sentence, but not in an image.
_COUNTS = frozenset(
    "there one two three four five six some several many other another".split()  # noqa: SIM905
)
_SKIPPED = FUNCTION_WORDS | _COUNTS | {"<unk>", "s", "nt"}


@cache
def stem(word: str) -> str:
    """Return the stem of a lower-case English word, from the Snowball stemmer (Porter 2001).

    Example:
        >>> [stem(word) for word in ("dogs", "running", "runs")]
        ['dog', 'run', 'run']
    """
    return str(_stemmer().stem(word))


def content_stems(words: Iterable[str]) -> set[str]:
    """Return the stems of the content words of a sentence.

    Args:
        words: Lower-case words.

    Example:
        >>> sorted(content_stems(["two", "dogs", "are", "running", "on", "the", "grass"]))
        ['dog', 'grass', 'run']
    """
    return {stem(word) for word in words if word not in _SKIPPED}


def mentioned_shares(captions: Sequence[Sequence[str]]) -> Mapping[str, float]:
    """Return the share of the captions of one image that mention each stem.

    Args:
        captions: Captions of the image as words, at least one.

    Example:
        >>> dict(mentioned_shares([["a", "dog"], ["two", "dogs", "run"]]))
        {'dog': 1.0, 'run': 0.5}
    """
    counts = Counter(sorted(s for words in captions for s in content_stems(words)))
    return {word: count / len(captions) for word, count in counts.items()}


@cache
def _stemmer() -> Any:
    # Takes half a second; captioning does not need it.
    from nltk.stem.snowball import SnowballStemmer

    return SnowballStemmer("english")


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
