"""Source files of data sets: their text, the words of a caption, and where images lie."""

import codecs
from collections.abc import Iterable, Sequence
from pathlib import Path

from captioner.datasets.dataset import Dataset, Example
from captioner.errors import CaptionerError
from captioner.text.tokenizer import tokenize

_LOOKED_AT = 20


def read_source(path: Path) -> str:
    """Read a text file in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Args:
        path: the file.

    Returns:
        Its text, with line feeds at the ends of lines.

    Raises:
        CaptionerError: the file is missing, unreadable, or neither.
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
    """Say what a JSON file lacks, by what reading it has raised, as the end of a sentence.

    Args:
        error: A KeyError where a name is missing; a TypeError, say, where a number is a list.

    Example:
        >>> name_shortcoming(KeyError("image_id"))
        'has an entry that lacks "image_id"'
    """
    if isinstance(error, KeyError):
        return f'has an entry that lacks "{error.args[0]}"'
    return "has an entry that is none of an image or a caption"


def caption_words(caption: object, place: str) -> tuple[str, ...]:
    """Tokenize one raw caption.

    Args:
        caption: what stands in the file.
        place: where it stands, for the error: the file, and the row or the picture.

    Returns:
        Its words, at least one.

    Raises:
        CaptionerError: it is not text, or has no words.
    """
    words = tuple(tokenize(caption)) if isinstance(caption, str) else ()
    if not words:
        raise CaptionerError(f"{place} has an empty caption: write one or remove it")
    return words


def with_pictures(
    name: str, examples: Iterable[Example], source: Path, faults: Iterable[str] = ()
) -> Dataset:
    """Make the data set, unless its pictures are clearly elsewhere.

    Only the first few are looked for: a single missing picture is the business of whoever opens it.

    Args:
        name: the data set's name.
        examples: what the reader read.
        source: the file they were read from, for the error.
        faults: what was left out of it, and why.

    Returns:
        The data set.

    Raises:
        CaptionerError: there are no examples, or none of the first pictures exists.
    """
    examples = tuple(examples)
    if not examples:
        raise CaptionerError(f"{source} lists no pictures: give a file with at least one")
    first = [Path(example.path) for example in examples[:_LOOKED_AT]]
    if not any(path.is_file() for path in first):
        raise CaptionerError(
            f"none of the first pictures of {source} is in {first[0].parent}, "
            f"for example {first[0].name}: say where they are with --images (in a recipe: images)"
        )
    return Dataset(name, examples, tuple(faults))


def clip_example(
    clip_id: str, path: Path, captions: Sequence[str], split: str, source: Path
) -> Example:
    """Make the example of one clip with captions.

    Args:
        clip_id: Name of the clip in its data set.
        path: Where the clip lies.
        captions: Sentences of a crowd, in which an answer without words now and then is left out.
        split: "train", "val" or "test".
        source: File that the captions were read from, for the error.

    Raises:
        CaptionerError: No caption has words.
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
    """Return the first of some folders within `root` that is there, or else `root` itself."""
    return next((root / name for name in names if (root / name).is_dir()), root)
