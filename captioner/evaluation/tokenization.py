"""Tokenization of captions for scoring: Penn Treebank tokens, without Java."""

import re
from collections.abc import Callable
from functools import lru_cache

from captioner.errors import CaptionerError
from captioner.text.subwords import split_words
from captioner.text.tokenizer import tokenize
from captioner.text.unspaced import space_out

# Tokens that coco-caption drops. As there, lower-case brackets ("-lrb-") stay.
PUNCTUATION = frozenset(
    "'' ' `` ` -LRB- -RRB- -LCB- -RCB- . ? ! , : - -- ... ;".split()  # noqa: SIM905
)

# Words that keep their full stop in upper or lower case; those of the next two lists in one only.
_ABBREVIATIONS = """
    al cf co ct dr ft ga jr ky lt md mo mr ms mt ph rd rt sq sr st va vs vt wm adj adm adv ala apr
    aug ave bhd cie col cos cpl dak dec det drs ens esq est etc ext feb fla fri gen gov hon inc ind
    jan jos jul jun kan ltd maj mar mme mon mrs neb nev nov oct pfc plc pvt rep rev sen sep seq sfc
    sgt spc ste sys tel thu tue wed wis wyo alex ariz assn asst atty bldg blvd brig bros capt cmdr
    colo conn corp dept elec govs insp intl invt kans mich minn mlle mont msgr natl okla penn pres
    prof reps sens sept supt tenn tues univ wisc assoc messrs calif comdr lieut
"""
_CAPITALISED_ABBREVIATIONS = "Az La Pa Ark Del Ill Ore Tex Mass Miss Wash"
_SMALL_ABBREVIATIONS = "mfg mtg pte pty ppte ppty ptes ptys"
_ABBREVIATIONS_BEFORE_NUMBERS = "ca no op pp art fig nos figs prop"
# Capitalised words that begin a sentence after a single letter and a full stop.
_SENTENCE_STARTERS = """
    A About After An As At But He Her Here However If In It Last Many More Mr Once One Other Our She
    Since So Some That The Their Then There These They This We What When While Yet You
"""

_CONTRACTION = r"['’](?:[smd]|re|ve|ll)(?![^\W\d_])"
_LETTER = r"[^\W\d_]"
_SUFFIXES = r"(?:jpe?g|gif|png|bmp|pdf|txt|html?|mp3|exe|zip|doc|com|net|org|edu|gov|mil)"
_WORD = r"[^\W_]++"
_HYPHENATED = rf"{_WORD}(?:[-_]{_WORD})*"


def _any_of(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


# Maximal munch: the rule with the longest match makes the token; ties go to the earlier rule. The
# token is the one group that matched; the rest of the match is context.
_RULES = tuple(
    re.compile(rule)
    for rule in (
        # Two words written as one: "cannot" gives "can not".
        rf"(?i:(?:(can)not|(gon|wan)na|(got)ta|(gim|lem)me)(?!\w|{_CONTRACTION}))",
        r"(?i:('t)(?:is|was))",
        # The word before its contraction, and the contraction.
        rf"({_LETTER}+?)(?i:n['’`]t)(?!{_LETTER})",
        rf"((?i:n['’`]t))(?!{_LETTER})",
        rf"((?i:{_CONTRACTION}))",
        rf"((?i:'n'|'n(?!{_LETTER})))",
        r"((?i:'(?:em|till?|cause)))(?!\w)",
        r"('\d\ds?)(?![\w'\"])",
        rf"((?i:ol'|ma'ams?|(?:nat|gov)'l|s'mores|c'mon|cap'n|ev'ry|ne'er|o'er|e'er))(?!{_LETTER})",
        rf"([dDlLoOnN]['’]{_LETTER}{{2,}}(?:-{_HYPHENATED})?|[oO]['’]{_LETTER}+)",
        r"([dDlLyY]')(?:all|er|a)(?!\w)",
        # Abbreviations, initials and acronyms keep their full stops.
        rf"((?i:{_any_of(_ABBREVIATIONS)})\.(?:-{_HYPHENATED})?)",
        rf"((?:{_any_of(_CAPITALISED_ABBREVIATIONS)})\.)",
        rf"((?:{_any_of(_CAPITALISED_ABBREVIATIONS.upper())})\.)",
        rf"((?:{_any_of(_SMALL_ABBREVIATIONS)})\.)",
        rf"((?i:{_any_of(_ABBREVIATIONS_BEFORE_NUMBERS)})\.)(?=\d)",
        rf"([A-Za-z](?:\.[A-Za-z])*\.(?:-{_HYPHENATED})?)(?!{_LETTER})",
        rf"({_HYPHENATED}\.)(?=[,;:])",
        # Addresses, handles, mark-up, entities.
        r"((?:https?://|www\.)[^\s\"<>|()]*[^\s\"<>|().!?,;:'-])",
        r"([\w.+-]+@[\w-]+(?:\.[\w-]+)*)",
        r"([@#][A-Za-z]\w*)",
        r"(</?[A-Za-z!?][^<>\s]*>)",
        r"(&(?:[A-Za-z]+|#\d+);)",
        r"([^\W\d_][^\W_]*(?:\.[^\W\d_][^\W_]*)+(?:-[^\W_]+)*)",
        rf"(\w+\.(?i:{_SUFFIXES}))(?!\w)",
        # Words and numbers, joined by hyphens, slashes or points.
        rf"({_HYPHENATED})",
        rf"({_WORD}(?:-{_WORD})*(?:/{_WORD}(?:-{_WORD})*){{1,2}})(?!_)",
        r"([+-]?\d*(?:[.,:]\d+)+(?:-[A-Za-z]\w*)*|[+-]\d+)",
        r"([A-Z]+(?:&[A-Z]+)+)",
        r"([A-Za-z](?:\+\+|#)|(?i:us|c|a|nz|hk)\$)",
        # Punctuation.
        r"(\(\d{3}\)\d{3}-\d{4})",
        r"(>?[:;=]['-]*[DPO)(|\]\[pd](?!\w))",
        r"([!?]+|\.{3,5}|-{2,}|``|''|<<|>>|\*+|_+|[-^]_[-^])",
        r"(.)",
    )
)

_SPELLINGS = {
    "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "''", "&apos;": "'", "&nbsp;": "",
    "½": "1/2", "¼": "1/4", "¾": "3/4", "£": "#", "€": "$", "¢": "cents", "…": "...",
    "–": "--", "—": "--", "―": "--", '"': "''", "“": "``", "”": "''", "«": "``", "»": "''",
    "‘": "`", "’": "'", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
}  # fmt: skip
_CURLY = re.compile(r"(?:n’t|’(?:[smd]|re|ve|ll|\d0s))")
_INITIAL_BEFORE_SENTENCE = re.compile(
    rf"([A-Za-z])\. (?:(?:{_any_of(_SENTENCE_STARTERS)})(?!\w)|$)"
)
_BEFORE_NUMBER = re.compile(rf"(?i:{_any_of(_ABBREVIATIONS_BEFORE_NUMBERS)})\.")
_DROPPED = re.compile(r"[\U00010000-\U0010ffff\u200b-\u200f\ufeff]")


@lru_cache(maxsize=1 << 16)
def _chunk_tokens(chunk: str) -> tuple[str, ...]:
    """Return the tokens of a piece of text without white space."""
    tokens: list[str] = []
    start = 0
    while start < len(chunk):
        matches = [match for rule in _RULES if (match := rule.match(chunk, start))]
        best = max(matches, key=re.Match.end)  # the first of a tie
        token = best[best.lastindex or 0]
        start += len(token)
        if token.strip("-") == "" and len(token) > 1:
            token = "--"
        elif token.strip(".") == "" and len(token) > 2:
            token = "..."
        token = _SPELLINGS.get(token, token).lower().replace("(", "-lrb-").replace(")", "-rrb-")
        if token:
            tokens.append(token.replace("’", "'") if _CURLY.fullmatch(token) else token)
    return tuple(tokens)


def ptb_caption(caption: str) -> str:
    """Prepare a caption for scoring as coco-caption does: PTB tokens without punctuation.

    The rules were written from the observed behaviour of the Java tokenizer (CoreNLP 3.4.1 with
    -lowerCase) and give the same words on every Flickr8k caption. There are two differences. Java
    reads all captions as one text, so the start of the next caption decides whether a single last
    letter ("plan b.") keeps its full stop; here captions are independent, and the full stop is
    dropped. Java's tokens with a space inside ("5 1/2", "<a b>", telephone numbers) are several
    words here.

    Args:
        caption: English text of any length; line breaks count as spaces.

    Returns:
        Lower-case words joined by single spaces; "" if there are none.

    Example:
        >>> ptb_caption("A dog's ball (red) isn't here.")
        "a dog 's ball -lrb- red -rrb- is n't here"
    """
    chunks = _DROPPED.sub("", caption).split()
    words: list[str] = []
    for position, chunk in enumerate(chunks):
        following = chunks[position + 1] if position + 1 < len(chunks) else ""
        if following[:1].isdigit() and _BEFORE_NUMBER.fullmatch(chunk):
            words.append(chunk.lower())
        elif initial := _INITIAL_BEFORE_SENTENCE.match(f"{chunk} {following}"):
            words.append(initial[1].lower())
        else:
            words += [token for token in _chunk_tokens(chunk) if token not in PUNCTUATION]
    return " ".join(words)


_WAYS: dict[str, Callable[[str], str]] = {
    "ptb": lambda caption: ptb_caption(space_out(caption)),
    "karpathy": lambda caption: " ".join(tokenize(caption)),
    "unicode": lambda caption: " ".join(split_words(caption)),
    "none": lambda caption: " ".join(caption.split()),
}
TOKENIZATIONS = tuple(_WAYS)


def caption_splitter(tokenization: str) -> Callable[[str], str]:
    """Return the function that splits a caption into words, joined by single spaces.

    Args:
        tokenization: "ptb", as in the COCO evaluation and published scores; "karpathy", as for the
            training captions; "unicode", for any language, as in `split_words`; or "none", for
            captions that are already words and spaces. Except in "none", each character of a script
            without blanks is a word.

    Returns:
        The function.

    Raises:
        CaptionerError: If there is no such tokenization.

    Example:
        >>> caption_splitter("karpathy")("A man's T-shirt.")
        'a man s t shirt'
    """
    if tokenization not in _WAYS:
        raise CaptionerError(
            f'there is no tokenization "{tokenization}": choose one of {", ".join(TOKENIZATIONS)}'
        )
    return _WAYS[tokenization]
