"""Pictures or clips with captions and splits: what every data set reader returns."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from captioner.errors import CaptionerError
from captioner.media.files import VIDEO_SUFFIXES


@dataclass(frozen=True)
class CaptionExample:
    """One picture or clip and its captions.

    Args:
        image_id: its name in its data set, unique there.
        path: where it lies; "" for captions without an image.
        captions: the sentences as people wrote them, at least one.
        tokens: the words of each caption, in the same order.
        split: "train", "val" or "test".
    """

    image_id: str
    path: str
    captions: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...]
    split: str


@dataclass(frozen=True)
class CaptionDataset:
    """The examples of one data set, in the order of its file.

    Args:
        name: the data set's name, for reports.
        examples: pictures or clips with captions; no image_id occurs twice.
        faults: what its file has beside them and was left out, a sentence each.

    Raises:
        CaptionerError: there are no examples, or two have the same image_id.

    Example:
        >>> example = CaptionExample("1.jpg", "/data/1.jpg", ("A dog.",), (("a", "dog"),), "train")
        >>> CaptionDataset("mine", (example,)).split("train")[0].captions
        ('A dog.',)
    """

    name: str
    examples: tuple[CaptionExample, ...]
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.examples:
            raise CaptionerError(f"{self.name} has no captions: give a file with at least one")
        (image_id, times), *_ = Counter(e.image_id for e in self.examples).most_common(1)
        if times > 1:
            raise CaptionerError(
                f"{self.name} lists the picture {image_id} {times} times: "
                "put its captions together in one entry"
            )

    def split(self, name: str) -> list[CaptionExample]:
        """Return the examples of one split, in order.

        Args:
            name: "train", "val" or "test".

        Returns:
            Its examples, at least one.

        Raises:
            CaptionerError: the data set has no such split.
        """
        chosen = [example for example in self.examples if example.split == name]
        if not chosen:
            splits = ", ".join(dict.fromkeys(example.split for example in self.examples))
            raise CaptionerError(f'{self.name} has no split "{name}": take one of {splits}')
        return chosen

    @property
    def has_images(self) -> bool:
        """Whether there are images or clips, and not captions alone."""
        return any(example.path for example in self.examples)

    @property
    def has_clips(self) -> bool:
        """Whether there is a video among the examples, by the names of their files."""
        return any(example.path.lower().endswith(VIDEO_SUFFIXES) for example in self.examples)

    def fingerprint(self) -> str:
        """Return a SHA-256 in hex of image ids, splits, file names and captions.

        It is the same wherever the pictures' folder lies.
        """
        digest = hashlib.sha256()
        for e in self.examples:
            record = [e.image_id, e.split, Path(e.path).name, e.captions]
            digest.update(json.dumps(record).encode() + b"\n")
        return digest.hexdigest()
