"""Sentences to words and back, by the rule of Karpathy and Fei-Fei for Flickr8k.

The captions of Flickr8k are written as in the Penn Treebank: punctuation and clitics are separate
("a man 's hat .", "ca n't"). Karpathy's file deletes the punctuation, splits at hyphens and keeps
every other sign. `tokenize` does the same for any English sentence, in either notation.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from captioner.text.unspaced import needs_blank, space_out

# The Penn Treebank's clitics that occur in captions: "man's" -> "man 's", "can't" -> "ca n't".
_CLITIC = re.compile(r"(?<=\S)(['’]s|n['’]t)\b")
_BREAK = re.compile(r"[-‐‑–—/\\]")
_STANDS_ALONE = re.compile(r"([()\[\]{}<>:#])")
_DELETED = re.compile(r"""[.,;!?'"‘’“”…。，、；！？「」『』《》¿¡؟،«»]""")

_WRITTEN_CLITICS = {"s": "'s", "nt": "n't"}


def tokenize(sentence: str) -> list[str]:
    """Split a sentence into lower-case words as Karpathy's Flickr8k file does.

    The marks . , ; ! ? and quotation marks are deleted, also inside a word ("o'clock" is "oclock").
    Hyphens, dashes and slashes end a word. The clitics 's and n't are words ("s", "nt"), and so are
    brackets, colons and number signs, and each character of a script without spaces, such as
    Chinese. Anything else between spaces is one word ("at&t").

    Args:
        sentence: Caption as people write it.

    Returns:
        Its words; an empty list if there are none.

    Source: `dataset_flickr8k.json` of Karpathy and Fei-Fei 2015, "Deep Visual-Semantic Alignments
    for Generating Image Descriptions"; this function reproduces the `tokens` of all its 40,000
    sentences.

    Example:
        >>> tokenize("A man's T-shirt , drying in Washington D.C.")
        ['a', 'man', 's', 't', 'shirt', 'drying', 'in', 'washington', 'dc']
        >>> tokenize("红色的圆。")
        ['红', '色', '的', '圆']
    """
    text = _CLITIC.sub(r" \1", space_out(sentence.lower()))
    text = _STANDS_ALONE.sub(r" \1 ", _BREAK.sub(" ", text))
    return _DELETED.sub("", text).split()


def join_words(words: Sequence[str]) -> str:
    """Join words into a sentence, with spaces between them and clitics attached to their words.

    There is no space beside a character of a script that is written without spaces.

    Args:
        words: Lower-case words from `tokenize` or a decoder.

    Returns:
        The sentence, in lower case and without a full stop; `tokenize` is the inverse.

    Example:
        >>> join_words(["the", "man", "s", "dog", "does", "nt", "run"])
        "the man's dog doesn't run"
    """
    sentence = ""
    for before, word in pairwise(("", *words)):
        if before and before not in _WRITTEN_CLITICS and word in _WRITTEN_CLITICS:
            sentence += _WRITTEN_CLITICS[word]
        else:
            sentence += f" {word}" if before and needs_blank(before, word) else word
    return sentence
