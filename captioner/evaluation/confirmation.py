"""How much of a caption people confirm: the truth that a confidence is measured against."""

from collections.abc import Iterable, Sequence

from captioner.text.function_words import FUNCTION_WORDS


def confirmed_share(words: Sequence[str], references: Iterable[Sequence[str]]) -> float:
    """The share of a caption's content words that any reference has.

    Words are compared as they are written: "running" does not confirm "runs", so the share is a
    lower bound of what is true of the picture.

    Args:
        words: of the caption.
        references: the words of each human caption of the picture.

    Returns:
        0 to 1; 0 for a caption without content words.

    Example:
        >>> confirmed_share(["a", "dog", "on", "grass"], [["the", "dog", "runs"], ["a", "dog"]])
        0.5
    """
    content = [word for word in words if word not in FUNCTION_WORDS]
    known = {word for reference in references for word in reference}
    return sum(word in known for word in content) / len(content) if content else 0.0
