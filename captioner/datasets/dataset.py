"""A data set, as every reader returns it: images or clips with captions or labels, and splits."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captioner.errors import CaptionerError
from captioner.media.files import VIDEO_SUFFIXES


@dataclass(frozen=True)
class Example:
    """One image or clip, with its captions or its label.

    Args:
        id: Unique name in its data set.
        path: Path of a file, or of a folder of numbered frames; "" for captions without an image.
        captions: Human captions; empty if there is a label.
        tokens: Words of each caption, in the same order.
        split: "train", "val" or "test".
        label: Activity in the clip; None if there are captions.
    """

    id: str
    path: str
    captions: tuple[str, ...] = ()
    tokens: tuple[tuple[str, ...], ...] = ()
    split: str = "train"
    label: str | None = None

    @property
    def sentences(self) -> list[str]:
        """The words of each caption, joined by blanks, as references for scores."""
        return [" ".join(words) for words in self.tokens]


@dataclass(frozen=True)
class Dataset:
    """The examples of one data set, in the order of its file.

    Args:
        name: Name for reports.
        examples: Images or clips, all with captions or all with labels; no id occurs twice.
        faults: Entries of its file that were left out, one sentence each.

    Attributes:
        labels: Sorted labels, in the order of a network's classes.

    Raises:
        CaptionerError: If there are no examples, two have the same id, or all have the same label.

    Example:
        >>> example = Example("1.jpg", "/data/1.jpg", ("A dog.",), (("a", "dog"),), "train")
        >>> Dataset("mine", (example,)).split("train")[0].captions
        ('A dog.',)
        >>> clips = [Example(x, f"/data/{x}", label=x[0]) for x in ("b1.mp4", "a1.mp4")]
        >>> Dataset("mine", tuple(clips)).labels
        ('a', 'b')
    """

    name: str
    examples: tuple[Example, ...]
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.examples:
            raise CaptionerError(f"{self.name} has no captions: give a file with at least one")
        (id_, times), *_ = Counter(e.id for e in self.examples).most_common(1)
        if times > 1:
            kind = "clip" if self.labels else "image"
            raise CaptionerError(
                f"{self.name} lists the {kind} {id_} {times} times: "
                "put its captions together in one entry"
            )
        if len(self.labels) == 1:
            raise CaptionerError(
                f"{self.name} has only the label {self.labels[0]!r}: give clips of at least two"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """Sorted labels; empty if there are captions."""
        return tuple(sorted({e.label for e in self.examples if e.label is not None}))

    def split(self, name: str) -> list[Example]:
        """Return the examples of one split, in order.

        Args:
            name: "train", "val" or "test".

        Returns:
            Its examples, at least one.

        Raises:
            CaptionerError: If the data set has no such split.
        """
        chosen = [example for example in self.examples if example.split == name]
        if not chosen:
            splits = ", ".join(dict.fromkeys(example.split for example in self.examples))
            raise CaptionerError(
                f'{self.name} has no split "{name}": choose one of {splits}; or give at least four '
                f"images without a split, which are then split, or write {name} into a column "
                "`split`"
            )
        return chosen

    def left_out(self, most: int = 5) -> list[str]:
        """Return lines that list the entries that were left out, with the reasons.

        Args:
            most: Number of faults to list; one more line counts the others.

        Example:
            >>> example = Example("1.jpg", "/data/1.jpg", ("A dog.",), (("a", "dog"),), "train")
            >>> Dataset("mine", (example,), ("line 2", "line 3", "line 4")).left_out(most=1)
            ['left out: line 2', 'left out: 2 more']
        """
        lines = [f"left out: {fault}" for fault in self.faults[:most]]
        more = len(self.faults) - len(lines)
        return [*lines, f"left out: {more} more"] if more else lines

    @property
    def has_images(self) -> bool:
        """True if there are images or clips, and not only captions."""
        return any(example.path for example in self.examples)

    @property
    def has_clips(self) -> bool:
        """True if any example has a label or the file name of a video."""
        return any(e.label or e.path.lower().endswith(VIDEO_SUFFIXES) for e in self.examples)

    def fingerprint(self) -> str:
        """Return a SHA-256 in hex of ids, file names, and captions with splits, or labels.

        It does not depend on the folder of the files.
        """
        digest = hashlib.sha256()
        for e in self.examples:
            name = Path(e.path).name
            record: list[Any] = (
                [e.id, e.split, name, e.captions] if e.label is None else [e.id, e.label, name]
            )
            digest.update(json.dumps(record).encode() + b"\n")
        return digest.hexdigest()
