"""How captions are split into words before they are scored."""

from collections.abc import Callable

from captioner.errors import CaptionerError
from captioner.evaluation.ptb import ptb_caption
from captioner.text.tokenizer import tokenize

_WAYS: dict[str, Callable[[str], str]] = {
    "ptb": ptb_caption,
    "karpathy": lambda caption: " ".join(tokenize(caption)),
    "none": lambda caption: " ".join(caption.split()),
}
TOKENIZATIONS = tuple(_WAYS)


def caption_splitter(tokenization: str) -> Callable[[str], str]:
    """Find the function that makes words, joined by single spaces, of a caption.

    Args:
        tokenization: "ptb", as the COCO evaluation and so the published scores; "karpathy", as the
            training captions; or "none", for captions that are words and spaces already.

    Returns:
        The function.

    Raises:
        CaptionerError: there is no such tokenization.

    Example:
        >>> caption_splitter("karpathy")("A man's T-shirt.")
        'a man s t shirt'
    """
    if tokenization not in _WAYS:
        raise CaptionerError(
            f'there is no tokenization "{tokenization}": choose one of {", ".join(TOKENIZATIONS)}'
        )
    return _WAYS[tokenization]
