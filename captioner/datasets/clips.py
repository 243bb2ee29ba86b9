"""What the readers of clips have in common."""

from collections.abc import Sequence
from pathlib import Path

from captioner.datasets.caption_dataset import CaptionExample
from captioner.errors import CaptionerError
from captioner.text.tokenizer import tokenize


def clip_example(
    clip_id: str, path: Path, captions: Sequence[str], split: str, source: Path
) -> CaptionExample:
    """Make the example of one clip.

    Args:
        clip_id: the clip's name in its data set.
        path: where the clip lies.
        captions: sentences of a crowd, in which an answer without words now and then is left out.
        split: "train", "val" or "test".
        source: the file that the captions were read from, for the error.

    Returns:
        The example.

    Raises:
        CaptionerError: no caption has words.
    """
    pairs = [(caption, words) for caption in captions if (words := tuple(tokenize(caption)))]
    if not pairs:
        raise CaptionerError(
            f"{source} has no English caption for the clip {clip_id}: download it again, "
            "or remove the clip from the list"
        )
    texts, tokens = zip(*pairs, strict=True)
    return CaptionExample(clip_id, str(path), texts, tokens, split)


def clips_folder(root: Path, names: Sequence[str]) -> Path:
    """Return the first of some folders within `root` that is there, or else `root` itself."""
    return next((root / name for name in names if (root / name).is_dir()), root)
