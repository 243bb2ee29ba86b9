"""Sentences to words and back, by the rule of Karpathy and Fei-Fei for Flickr8k.

The captions of Flickr8k come in the Penn Treebank's writing: marks and clitics stand apart ("a man
's hat .", "ca n't"). Karpathy's file deletes the sentence marks from it, splits at hyphens and
keeps every other sign. `tokenize` does the same to any English sentence, written so or not.
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

    The marks . , ; ! ? and quotation marks are deleted, also inside a word ("o'clock" is "oclock");
    hyphens, dashes and slashes end a word; the clitics 's and n't are words ("s", "nt"), and so are
    brackets, colons and number signs; so is each character of a script without blanks, such as
    Chinese; anything else between blanks is one word ("at&t").

    Args:
        sentence: a caption, as people write it.

    Returns:
        Its words; an empty list if there are none.

    Source: `dataset_flickr8k.json` of Karpathy and Fei-Fei 2015, "Deep Visual-Semantic Alignments
    for Generating Image Descriptions"; the `tokens` of all its 40,000 sentences come out.

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
    """Write words as a sentence for people: blanks between them, clitics back at their words.

    No blank is put beside a character of a script that is written without them.

    Args:
        words: lower-case words, as `tokenize` or a decoder gives them.

    Returns:
        The sentence, still in lower case and without a full stop; `tokenize` gives the words back.

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
