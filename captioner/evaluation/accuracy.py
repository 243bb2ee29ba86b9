"""Accuracy of labels: over all clips, by label, and as an image of the confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned, interval_text
from captioner.replacing import replacing

_Z = 1.959963984540054  # two-sided 95 % quantile of the normal distribution


@dataclass(frozen=True)
class AccuracyReport:
    """Counts of true and predicted labels.

    Attributes:
        labels: K labels.
        confusion: Confusion matrix, int (K, K): number of clips by true label (rows) and predicted
            label (columns).
    """

    labels: tuple[str, ...]
    confusion: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of clips with a correct prediction."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy; see `wilson_interval`."""
        return wilson_interval(int(np.trace(self.confusion)), int(self.confusion.sum()))

    def per_label(self) -> list[tuple[str, int, float, float]]:
        """Return each label's number of clips, recall and precision (0 if there are no clips)."""
        right = np.diag(self.confusion)
        truth, given = self.confusion.sum(1), self.confusion.sum(0)
        recall, precision = (right / np.maximum(total, 1) for total in (truth, given))
        return [
            (label, int(truth[k]), float(recall[k]), float(precision[k]))
            for k, label in enumerate(self.labels)
        ]

    def to_text(self) -> str:
        """Return the report as text; its table is valid Markdown."""
        right, total = int(np.trace(self.confusion)), int(self.confusion.sum())
        rows = [
            (label, str(clips), f"{100 * recall:.1f}", f"{100 * precision:.1f}")
            for label, clips, recall, precision in self.per_label()
        ]
        return "\n".join(
            [
                f"accuracy {100 * self.accuracy:.1f} % ({right} of {total} clips), "
                f"95 % interval {interval_text(self.interval)}",
                "",
                aligned(("label", "clips", "recall x 100", "precision x 100"), rows),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "clips": int(self.confusion.sum()),
            "labels": [
                {"label": label, "clips": clips, "recall": recall, "precision": precision}
                for label, clips, recall, precision in self.per_label()
            ],
            "confusion": self.confusion.tolist(),
        }


def count_confusion(
    labels: Sequence[str], truth: Sequence[str], given: Sequence[str]
) -> AccuracyReport:
    """Count the true and the predicted labels of clips.

    Args:
        labels: All labels, in the order of the rows and columns.
        truth: True label of each clip.
        given: Predicted label of each clip.

    Raises:
        CaptionerError: If there are no clips, or a clip has another label.

    Example:
        >>> count_confusion(("a", "b"), ["a", "b", "b"], ["a", "b", "a"]).confusion.tolist()
        [[1, 0], [1, 1]]
    """
    if not truth:
        raise CaptionerError("no clip could be labelled: see the errors above")
    if unknown := sorted({*truth, *given} - set(labels)):
        raise CaptionerError(
            f"the clips have labels that the model does not know: {', '.join(unknown)}; it knows "
            f"{', '.join(labels)}"
        )
    places = {label: place for place, label in enumerate(labels)}
    confusion = np.zeros((len(labels), len(labels)), int)
    for true, got in zip(truth, given, strict=True):
        confusion[places[true], places[got]] += 1
    return AccuracyReport(tuple(labels), confusion)


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share.

    Args:
        right: Number of successes.
        total: Number of trials, at least one.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.

    Example:
        >>> [round(end, 3) for end in wilson_interval(90, 100)]
        [0.826, 0.945]
    """
    share = right / total
    shrunk = 1 + _Z**2 / total
    middle = (share + _Z**2 / (2 * total)) / shrunk
    half = _Z / shrunk * (share * (1 - share) / total + _Z**2 / (4 * total**2)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)


_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_CELL = 72  # pixels
_GAP = 16
_AXES = ("true label", "predicted label")
_INK = (36, 41, 47)
_FULL = (9, 105, 218)  # the colour of a cell that has all clips of its row


def write_confusion(report: AccuracyReport, path: Path) -> None:
    """Draw a confusion matrix, with true labels as rows and predicted labels as columns.

    Args:
        report: Report to draw.
        path: A .png, .jpg or .jpeg file; replaced atomically.

    Raises:
        CaptionerError: If the file has another suffix, or cannot be written.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise CaptionerError(f"{path}: name an image file ({', '.join(_FORMATS)})")
    content = BytesIO()
    draw_confusion(report).save(content, kind, quality=92)
    with replacing(path) as partial:
        partial.write_bytes(content.getvalue())


def draw_confusion(report: AccuracyReport) -> Image.Image:
    """Draw the matrix; a cell is darker the larger its share of the row is.

    Example:
        >>> from captioner.evaluation.accuracy import count_confusion
        >>> draw_confusion(count_confusion(("a", "b"), ["a", "b"], ["a", "a"])).mode
        'RGB'
    """
    font = ImageFont.load_default(_CELL // 3)
    # The names of columns are vertical, so that long labels need no wide cells.
    names = [_name(label, font) for label in report.labels]
    rows_title, columns_title = (_name(title, font) for title in _AXES)
    title_height = rows_title.height + _GAP
    margin = max(name.width for name in names) + 2 * _GAP + title_height
    # The sheet of a small matrix is as wide as its titles.
    cells = _CELL * len(names)
    side = max(margin + max(cells, columns_title.width), rows_title.width) + _GAP
    margin = side - _GAP - cells
    sheet = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(sheet)
    middle = margin + cells // 2
    across, down = (
        min(middle - title.width // 2, side - title.width - _GAP)
        for title in (columns_title, rows_title)
    )
    sheet.paste(columns_title, (across, _GAP // 2))
    sheet.paste(rows_title.transpose(Image.Transpose.ROTATE_90), (_GAP // 2, down))
    totals = report.confusion.sum(1)
    for row, name in enumerate(names):
        near = margin + row * _CELL + (_CELL - name.height) // 2
        sheet.paste(name, (margin - _GAP - name.width, near))
        sheet.paste(name.transpose(Image.Transpose.ROTATE_90), (near, margin - _GAP - name.width))
        for column, count in enumerate(report.confusion[row]):
            share = count / max(totals[row], 1)
            left, top = margin + column * _CELL, margin + row * _CELL
            box = (left, top, left + _CELL - 2, top + _CELL - 2)
            draw.rectangle(box, tuple(round(255 + (full - 255) * share) for full in _FULL))
            if count:
                ink = "white" if share > 0.5 else _INK
                centre = (left + _CELL / 2 - 1, top + _CELL / 2 - 1)
                draw.text(centre, str(count), fill=ink, font=font, anchor="mm")
    return sheet


def _name(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Image.Image:
    left, top, right, bottom = map(round, font.getbbox(label))
    name = Image.new("RGB", (right - left + 2, bottom - top + 2), "white")
    ImageDraw.Draw(name).text((1 - left, 1 - top), label, fill=_INK, font=font)
    return name
