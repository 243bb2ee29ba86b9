"""A confusion matrix as a picture."""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from captioner.errors import CaptionerError
from captioner.evaluation.accuracy import AccuracyReport
from captioner.replacing import replacing

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_CELL = 72  # pixels
_GAP = 16
_AXES = ("label of the clip", "label that it got")
_INK = (36, 41, 47)
_FULL = (9, 105, 218)  # the colour of a row whose clips are all in one cell


def write_confusion(report: AccuracyReport, path: Path) -> None:
    """Draws a confusion matrix: rows are the labels of clips, columns what they got.

    Args:
        report: What to draw.
        path: A .png, .jpg or .jpeg file, which is replaced as a whole.

    Raises:
        CaptionerError: If the file has another suffix, or cannot be written.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise CaptionerError(f"{path}: name a picture {', '.join(_FORMATS)}")
    content = BytesIO()
    draw_confusion(report).save(content, kind, quality=92)
    with replacing(path) as partial:
        partial.write_bytes(content.getvalue())


def draw_confusion(report: AccuracyReport) -> Image.Image:
    """Draws the matrix; a cell is as dark as its share of its row.

    Example:
        >>> from captioner.evaluation.accuracy import count_confusion
        >>> draw_confusion(count_confusion(("a", "b"), ["a", "b"], ["a", "a"])).mode
        'RGB'
    """
    font = ImageFont.load_default(_CELL // 3)
    # Columns are named upwards, so that long labels need no wide cells.
    names = [_name(label, font) for label in report.labels]
    rows_title, columns_title = (_name(title, font) for title in _AXES)
    title_height = rows_title.height + _GAP
    margin = max(name.width for name in names) + 2 * _GAP + title_height
    # A small matrix is no wider than its titles.
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
