"""Helpers of the readers: text of source files, words of captions, folders of images."""

import codecs
from collections.abc import Iterable, Sequence
from pathlib import Path

from captioner.datasets.dataset import Dataset, Example
from captioner.errors import CaptionerError
from captioner.text.tokenizer import tokenize

FEATURES_SUFFIX = ".features.npz"  # of a feature set, see `write_feature_set`
_LOOKED_AT = 20


def read_source(path: Path) -> str:
    """Read a text file in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Args:
        path: Path of the file.

    Returns:
        Its text, with line feeds at the ends of lines.

    Raises:
        CaptionerError: If the file is missing or unreadable, or has another encoding.
    """
    try:
        with path.open("rb") as file:
            utf16 = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        return path.read_text(encoding="utf-16" if utf16 else "utf-8-sig")
    except OSError as error:
        raise CaptionerError(
            f"cannot read {path} ({error.strerror}): check the path of the data set"
        ) from error
    except UnicodeError as error:
        raise CaptionerError(
            f"{path} is not UTF-8 text: save it as UTF-8 (in Excel: CSV UTF-8)"
        ) from error


def name_shortcoming(error: Exception) -> str:
    """Return what is wrong with a JSON file, as the end of a sentence.

    Args:
        error: Exception from reading it: a KeyError if a name is missing, or for example a
            TypeError if a value has the wrong type.

    Example:
        >>> name_shortcoming(KeyError("image_id"))
        'has an entry that lacks "image_id"'
    """
    if isinstance(error, KeyError):
        return f'has an entry that lacks "{error.args[0]}"'
    return "has an entry that is neither an image nor a caption"


def caption_words(caption: object, place: str) -> tuple[str, ...]:
    """Tokenize one raw caption.

    Args:
        caption: Value in the file.
        place: File and row or image, for the error.

    Returns:
        One or more words.

    Raises:
        CaptionerError: If the value is not text, or has no words.
    """
    words = tuple(tokenize(caption)) if isinstance(caption, str) else ()
    if not words:
        raise CaptionerError(f"{place} has an empty caption: write one or remove it")
    return words


def with_pictures(
    name: str, examples: Iterable[Example], source: Path, faults: Iterable[str] = ()
) -> Dataset:
    """Make the data set, unless its images are clearly in another folder.

    Only the first few are checked; single missing images are reported later, when they are opened.

    Args:
        name: Name of the data set.
        examples: Examples from the reader.
        source: File that they were read from, for the error.
        faults: Entries that were left out, with the reasons.

    Returns:
        The data set.

    Raises:
        CaptionerError: If there are no examples, or none of the first images exists.
    """
    examples = tuple(examples)
    if not examples:
        raise CaptionerError(f"{source} lists no images: give a file with at least one")
    first = [Path(example.path) for example in examples[:_LOOKED_AT]]
    if not any(path.is_file() for path in first):
        raise CaptionerError(
            f"none of the first images of {source} is in {first[0].parent}, "
            f"for example {first[0].name}: give their folder with --images (in a recipe: images)"
        )
    return Dataset(name, examples, tuple(faults))


def clip_example(
    clip_id: str, path: Path, captions: Sequence[str], split: str, source: Path
) -> Example:
    """Make the example of one clip with captions.

    Args:
        clip_id: Name of the clip in its data set.
        path: Path of the clip.
        captions: Captions; those without words, which crowdsourced data contain, are left out.
        split: "train", "val" or "test".
        source: File that the captions were read from, for the error.

    Raises:
        CaptionerError: If no caption has words.
    """
    pairs = [(caption, words) for caption in captions if (words := tuple(tokenize(caption)))]
    if not pairs:
        raise CaptionerError(
            f"{source} has no English caption for the clip {clip_id}: download it again, "
            "or remove the clip from the list"
        )
    texts, tokens = zip(*pairs, strict=True)
    return Example(clip_id, str(path), texts, tokens, split)


def clips_folder(root: Path, names: Sequence[str]) -> Path:
    """Return the first of the folders `names` in `root` that exists, or else `root` itself."""
    return next((root / name for name in names if (root / name).is_dir()), root)
