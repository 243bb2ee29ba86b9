"""Words that say whether somebody is female or male, their counterparts, and words that do not."""

from collections.abc import Sequence

# Female, male, neither. None: the word is left out.
_WORDS = (
    ("woman", "man", "person"),
    ("women", "men", "people"),
    ("girl", "boy", "child"),
    ("girls", "boys", "children"),
    ("lady", "guy", "person"),
    ("ladies", "guys", "people"),
    ("lady", "gentleman", "person"),
    ("ladies", "gentlemen", "people"),
    ("mother", "father", "parent"),
    ("mom", "dad", "parent"),
    ("daughter", "son", "child"),
    ("sister", "brother", "sibling"),
    ("actress", "actor", "actor"),
    ("waitress", "waiter", "waiter"),
    ("she", "he", "they"),
    ("her", "his", "their"),
    ("her", "him", "them"),
    ("herself", "himself", "themselves"),
    ("female", "male", None),
    ("females", "males", "people"),
)
_NEITHER = {"actor", "waiter"}  # said of both
_FEMALE = frozenset(female for female, _, _ in _WORDS)
_MALE = frozenset(male for _, male, _ in _WORDS) - _NEITHER
_PRONOUNS = frozenset(("she", "her", "herself", "he", "his", "him", "himself"))
_NOUNS = (_FEMALE | _MALE) - _PRONOUNS
_COUNTERPARTS = {
    **{female: male for female, male, _ in reversed(_WORDS)},
    **{male: female for female, male, _ in _WORDS if male in _MALE},
}
_NEUTRAL = {
    **{female: neutral for female, _, neutral in reversed(_WORDS)},
    **{male: neutral for _, male, neutral in _WORDS if male in _MALE},
}
_PLURAL = {"is": "are", "has": "have", "was": "were", "s": "are"}  # behind "they"
_VOWELS = tuple("aeiou")


def names_one_gender(words: Sequence[str]) -> bool:
    """Tell whether words name people of one gender, and of it alone.

    Nouns decide; pronouns do where there are no such nouns.

    Example:
        >>> [names_one_gender(s.split()) for s in ("a man", "a man and a girl", "her dog")]
        [True, False, True]
    """
    return _gender(words) is not None


def gender_of(words: Sequence[str]) -> str | None:
    """Name the one gender that words name; None where they name none, or both.

    Example:
        >>> gender_of(["a", "woman"]), gender_of(["a", "dog"])
        ('female', None)
    """
    named = _gender(words)
    return None if named is None else "female" if named is _FEMALE else "male"


def other_gender(words: Sequence[str]) -> list[str]:
    """Say the same of people of the other gender, pronouns too.

    Args:
        words: That name one gender.

    Example:
        >>> " ".join(other_gender("a woman holds a phone in his hand".split()))
        'a man holds a phone in his hand'
    """
    gender = _gender(words) or frozenset()
    return [_COUNTERPARTS[word] if word in gender else word for word in words]


def _gender(words: Sequence[str]) -> frozenset[str] | None:
    """Return the words of the one gender that is named."""
    for kinds in (_NOUNS, _PRONOUNS):
        named = [gender for gender in (_FEMALE, _MALE) if gender & kinds & set(words)]
        if named:
            return named[0] if len(named) == 1 else None
    return None


def without_gender(words: Sequence[str]) -> list[str]:
    """Put words that say no gender in place of those that do.

    Example:
        >>> " ".join(without_gender("a female actress says she is happy with her dog".split()))
        'an actor says they are happy with their dog'
    """
    found: list[str] = []
    after_they = is_new = False
    for place, word in enumerate(words):
        neutral = _NEUTRAL.get(word, word)
        if after_they:
            neutral = _PLURAL.get(word, neutral)
        after_they = word in ("he", "she")
        is_new = is_new or neutral != word
        if neutral is None:
            if place < len(words) - 1:
                continue
            neutral = "person"  # "a male", as a noun
        if is_new and found and found[-1] in ("a", "an"):
            found[-1] = "an" if neutral.startswith(_VOWELS) else "a"
        found.append(neutral)
        is_new = False
    return found
