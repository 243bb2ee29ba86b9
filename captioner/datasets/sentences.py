"""Reader of captions without images, in groups that stand for one image."""

import gzip
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import read_source
from captioner.errors import CaptionerError
from captioner.text.english import content_stems
from captioner.text.tokenizer import tokenize

SENTENCE_SUFFIXES = (".txt", ".txt.gz")
_GROUP = 5  # captions of an image in Flickr8k and COCO


def read_sentences(path: str | os.PathLike[str]) -> Dataset:
    r"""Read a text file of captions, one per line, plain or compressed with gzip.

    Captions that share their rarest words form groups of five, as if they described one image.
    Lines without words are left out.

    Args:
        path: Path of a `.txt` or `.txt.gz` file.

    Returns:
        The data set, named like the file, with only the split "train"; its examples have no path.

    Raises:
        CaptionerError: If the file is missing, unreadable or empty.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "captions.txt"
        >>> _ = path.write_text("A dog runs.\nA cup of coffee.\nTwo dogs run.\n")
        >>> [example.captions for example in read_sentences(path).examples]
        [('A cup of coffee.', 'A dog runs.', 'Two dogs run.')]
    """
    path = Path(path)
    if path.suffix == ".gz":
        try:
            text = gzip.decompress(path.read_bytes()).decode()
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise CaptionerError(
                f"cannot read {path} ({error}): give a text file, plain or compressed with gzip"
            ) from error
    else:
        text = read_source(path)
    sentences = [(line, words) for line in text.splitlines() if (words := tuple(tokenize(line)))]
    if not sentences:
        raise CaptionerError(f"{path} has no captions: write one per line")
    name = path.name.removesuffix(".gz").removesuffix(".txt")
    ordered = [sentences[row] for row in _by_rarest_words([words for _, words in sentences])]
    examples = []
    for number, start in enumerate(range(0, len(ordered), _GROUP)):
        lines, tokens = zip(*ordered[start : start + _GROUP], strict=True)
        examples.append(Example(f"group{number}", "", lines, tokens, "train"))
    return Dataset(name, tuple(examples))


def _by_rarest_words(sentences: Sequence[Sequence[str]]) -> list[int]:
    """Order the rows so that sentences with the same rare content words are neighbours."""
    stems = [content_stems(words) for words in sentences]
    counts = Counter(word for own in stems for word in own)
    # A word that occurs in only one sentence does not connect sentences.
    keys = [
        sorted((word for word in own if counts[word] > 1), key=lambda word: (counts[word], word))
        for own in stems
    ]
    return sorted(range(len(sentences)), key=lambda row: (keys[row], row))
