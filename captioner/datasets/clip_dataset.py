"""Clips with labels and splits: what every reader of clips returns."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from captioner.errors import CaptionerError


@dataclass(frozen=True)
class ClipExample:
    """One clip and its label.

    Args:
        clip_id: the clip's name in its data set, unique there.
        path: where the clip lies: a file, or a folder of numbered frames.
        label: what is done in it.
        split: "train", "val" or "test".
    """

    clip_id: str
    path: str
    label: str
    split: str


@dataclass(frozen=True)
class ClipDataset:
    """The clips of one data set.

    Args:
        name: the data set's name, for reports.
        examples: clips with labels; no clip_id occurs twice.

    Attributes:
        labels: the labels, sorted; their order is that of the classes of a network.

    Raises:
        CaptionerError: there are no clips, two have the same clip_id, or all have the same label.

    Example:
        >>> examples = [ClipExample(f"{x}1.mp4", f"/data/{x}1.mp4", x, "train") for x in ("a", "b")]
        >>> ClipDataset("mine", tuple(examples)).labels
        ('a', 'b')
    """

    name: str
    examples: tuple[ClipExample, ...]

    def __post_init__(self) -> None:
        if not self.examples:
            raise CaptionerError(f"{self.name} has no clips: give a folder with some")
        (clip_id, times), *_ = Counter(e.clip_id for e in self.examples).most_common(1)
        if times > 1:
            raise CaptionerError(f"{self.name} lists the clip {clip_id} {times} times: once is due")
        if len(self.labels) < 2:
            raise CaptionerError(
                f"{self.name} has clips of the label {self.labels[0]!r} alone: give two at least"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """See the class."""
        return tuple(sorted({example.label for example in self.examples}))

    def split(self, name: str) -> list[ClipExample]:
        """Return the clips of one split, in order.

        Args:
            name: "train", "val" or "test".

        Returns:
            Its clips, at least one.

        Raises:
            CaptionerError: the data set has no such split.
        """
        chosen = [example for example in self.examples if example.split == name]
        if not chosen:
            splits = ", ".join(dict.fromkeys(example.split for example in self.examples))
            raise CaptionerError(f'{self.name} has no split "{name}": take one of {splits}')
        return chosen

    def fingerprint(self) -> str:
        """Return a SHA-256 in hex of clip ids, labels and file names.

        It is the same wherever the clips' folder lies and however they are split.
        """
        digest = hashlib.sha256()
        for e in self.examples:
            record = [e.clip_id, e.label, Path(e.path).name]
            digest.update(json.dumps(record).encode() + b"\n")
        return digest.hexdigest()
