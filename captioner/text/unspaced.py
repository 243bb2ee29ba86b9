"""Scripts without spaces between words: each of their characters counts as a word.

Chinese, Japanese, Thai, Lao, Khmer and Burmese do not mark words. BERT's BasicTokenizer (Devlin et
al. 2018) puts spaces around each Chinese character; this module does so for each character of all
these scripts, including its combining marks. Korean has spaces, and its syllables are not words.
"""

import re

_LETTERS = (
    "\u3005-\u3007\u3021-\u3029"  # the repetition mark, and numbers
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3105-\u312f\u31a0-\u31bf"  # bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"  # Thai
    "\u0e81-\u0eb0\u0eb2\u0eb3\u0ec0-\u0ec6\u0edc-\u0edf"  # Lao
    "\u1780-\u17b3\u17d7\u17dc"  # Khmer
    "\u1000-\u102a\u103f\u1050-\u1055\uaa60-\uaa76"  # Burmese
)
_MARKS = (
    "\u0300-\u036f\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    "\u17b4-\u17d3\u17dd\u102b-\u103e\u1056-\u1059\uaa7b"
)
_CHARACTER = re.compile(f"[{_LETTERS}][{_MARKS}]*")
_MARK = re.compile(f"[{_MARKS}]")


def space_out(text: str) -> str:
    """Put spaces around each character of a script that is written without spaces.

    Args:
        text: Any text.

    Example:
        >>> space_out("a 红色的圆").split()
        ['a', '红', '色', '的', '圆']
    """
    return _CHARACTER.sub(r" \g<0> ", text)


def has_unspaced(text: str) -> bool:
    """Return whether a text has a character of a script that is written without spaces.

    Example:
        >>> [has_unspaced(text) for text in ("红色", "T恤", "rouge")]
        [True, True, False]
    """
    return _CHARACTER.search(text) is not None


def is_unspaced(word: str) -> bool:
    """Return whether a word is one character of a script that is written without spaces.

    Example:
        >>> [is_unspaced(word) for word in ("红", "红色", "rouge", "ที่"[:2])]
        [True, False, False, True]
    """
    return _CHARACTER.fullmatch(word) is not None


def needs_blank(before: str, word: str) -> bool:
    """Return whether there is a space between two words.

    Example:
        >>> needs_blank("un", "cercle"), needs_blank("红", "色"), needs_blank("t", "恤")
        (True, False, False)
    """
    if _MARK.match(word):  # otherwise it would combine with the previous word
        return True
    return not (is_unspaced(before) or is_unspaced(word))
