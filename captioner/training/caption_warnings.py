"""A warning if a model writes nearly the same caption for all validation images."""

from collections.abc import Mapping

_FEW_WORDS = 10
_ENOUGH_IMAGES = 4


def warnings_about(captions: Mapping[str, str]) -> list[str]:
    """Warn if the captions of several images hardly differ, as after too short a training.

    Args:
        captions: Captions by image id.

    Returns:
        A list of one line, or an empty list.

    Example:
        >>> warnings_about(dict.fromkeys("abcd", "a dog"))[0][:56]
        'warning: all 4 val images get the same caption, "a dog":'
        >>> warnings_about({"a": "a dog", "b": "two men", "c": "snow", "d": "a red car"})
        []
    """
    if len(captions) < _ENOUGH_IMAGES:
        return []
    words = {word for text in captions.values() for word in text.split()}
    advice = (
        "it has not learned to tell images apart; continue the bundled model instead "
        "(`captioner teach`), train longer, or give more images and captions"
    )
    if len(set(captions.values())) == 1:
        text = next(iter(captions.values()))
        return [f'warning: all {len(captions)} val images get the same caption, "{text}": {advice}']
    if len(words) < _FEW_WORDS and len(captions) >= 2 * len(words):
        return [f"warning: only {len(words)} words describe {len(captions)} val images: {advice}"]
    return []
