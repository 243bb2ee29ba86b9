"""Images or clips with captions or labels, and with splits: what every reader returns."""

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
        id: Name in its data set, unique there.
        path: Where it lies: a file, or a folder of numbered frames; "" for captions without an
            image.
        captions: Sentences as people wrote them; none where there is a label.
        tokens: Words of each caption, in the same order.
        split: "train", "val" or "test".
        label: What is done in the clip; None where there are captions.
    """

    id: str
    path: str
    captions: tuple[str, ...] = ()
    tokens: tuple[tuple[str, ...], ...] = ()
    split: str = "train"
    label: str | None = None

    @property
    def sentences(self) -> list[str]:
        """The captions as their words with blanks between, as references of a score."""
        return [" ".join(words) for words in self.tokens]


@dataclass(frozen=True)
class Dataset:
    """The examples of one data set, in the order of its file.

    Args:
        name: Name for reports.
        examples: Images or clips, all with captions or all with labels; no id occurs twice.
        faults: What its file has beside them and was left out, a sentence each.

    Attributes:
        labels: The labels, sorted; their order is that of the classes of a network.

    Raises:
        CaptionerError: There are no examples, two have the same id, or all have the same label.

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
            kind = "clip" if self.labels else "picture"
            raise CaptionerError(
                f"{self.name} lists the {kind} {id_} {times} times: "
                "put its captions together in one entry"
            )
        if len(self.labels) == 1:
            raise CaptionerError(
                f"{self.name} has clips of the label {self.labels[0]!r} alone: give two at least"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, sorted; none where there are captions."""
        return tuple(sorted({e.label for e in self.examples if e.label is not None}))

    def split(self, name: str) -> list[Example]:
        """Return the examples of one split, in order.

        Args:
            name: "train", "val" or "test".

        Returns:
            Its examples, at least one.

        Raises:
            CaptionerError: The data set has no such split.
        """
        chosen = [example for example in self.examples if example.split == name]
        if not chosen:
            splits = ", ".join(dict.fromkeys(example.split for example in self.examples))
            raise CaptionerError(
                f'{self.name} has no split "{name}": take one of {splits}; or give four images or '
                f"more without a split, which are divided, or write {name} into a column `split`"
            )
        return chosen

    def left_out(self, most: int = 5) -> list[str]:
        """Return lines that tell what was left out of the data set, and why.

        Args:
            most: Faults that have a line of their own; one more line counts the others.

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
        """Whether there are images or clips, and not captions alone."""
        return any(example.path for example in self.examples)

    @property
    def has_clips(self) -> bool:
        """Whether there is a video among the examples, by the names of their files, or a label."""
        return any(e.label or e.path.lower().endswith(VIDEO_SUFFIXES) for e in self.examples)

    def fingerprint(self) -> str:
        """Return a SHA-256 in hex of ids, file names, and captions with splits, or labels.

        It is the same wherever the folder of the files lies.
        """
        digest = hashlib.sha256()
        for e in self.examples:
            name = Path(e.path).name
            record: list[Any] = (
                [e.id, e.split, name, e.captions] if e.label is None else [e.id, e.label, name]
            )
            digest.update(json.dumps(record).encode() + b"\n")
        return digest.hexdigest()
