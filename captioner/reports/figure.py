"""Figures of images with their captions, and of the decoder's attention for each word.

The second is the figure of Xu et al. 2015, "Show, Attend and Tell" (arXiv:1502.03044): the image
is drawn once for each word, clear where the decoder looked when it chose that word, and faint
elsewhere.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from captioner.errors import CaptionerError
from captioner.replacing import replacing
from captioner.reports.font import find_font

_WIDTH = 1800  # pixels, twice the width on a web page, for high-density screens
_TALLEST = 600
_GAP = 24
_FONT_SIZE = 36
_INK = (36, 41, 47)
_FAINT = 0.18  # share of the image's contrast that stays where the decoder did not look


def draw_sheet(images: Sequence[np.ndarray], texts: Sequence[str], per_row: int) -> Image.Image:
    """Draw images of equal height in rows on white, each with its text centred below it.

    Args:
        images: N uint8 arrays (H, W, 3).
        texts: N texts, wrapped to the width of their images.
        per_row: Maximum number of images in a row; row lengths differ by at most one.

    Returns:
        The drawing, at most 1,800 pixels wide.

    Raises:
        CaptionerError: If no installed font has all letters of the texts.
    """
    font = find_font(texts, _FONT_SIZE)
    line_height = sum(font.getmetrics())
    rows = np.array_split(np.arange(len(images)), math.ceil(len(images) / per_row))
    aspects = [image.shape[1] / image.shape[0] for image in images]
    fitting = [
        (_WIDTH - _GAP * (len(row) + 1)) / sum(aspects[index] for index in row) for row in rows
    ]
    height = min(_TALLEST, int(min(fitting)))
    widths = [round(height * aspect) for aspect in aspects]
    wrapped = [wrap(text, width, font) for text, width in zip(texts, widths, strict=True)]
    row_heights = [
        height + _GAP // 2 + line_height * max(len(wrapped[index]) for index in row) for row in rows
    ]
    sheet_width = max(sum(widths[index] + _GAP for index in row) + _GAP for row in rows)
    sheet = Image.new("RGB", (sheet_width, sum(row_heights) + _GAP * (len(rows) + 1)), "white")
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for row, row_height in zip(rows, row_heights, strict=True):
        left = _GAP
        for index in row:
            image = Image.fromarray(images[index])
            sheet.paste(
                image.resize((widths[index], height), Image.Resampling.LANCZOS), (left, top)
            )
            middle = left + widths[index] / 2
            for number, line in enumerate(wrapped[index]):
                at = (middle, top + height + _GAP // 2 + number * line_height)
                draw.text(at, line, fill=_INK, font=font, anchor="ma")
            left += widths[index] + _GAP
        top += row_height + _GAP
    return sheet


def wrap(text: str, width: float, font: ImageFont.FreeTypeFont) -> list[str]:
    """Break a text into the fewest lines that fit a width, balanced in length.

    Args:
        text: Words separated by blanks; a word wider than `width` gets a line of its own.
        width: Maximum width of a line in pixels.
        font: Font in which the text will be drawn.

    Returns:
        The lines.
    """

    def broken(limit: float) -> list[str]:
        lines: list[str] = []
        for word in text.split():
            if lines and font.getlength(f"{lines[-1]} {word}") <= limit:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines

    fewest = len(broken(width))
    # Choose the narrowest limit that does not need another line.
    limits = np.arange(0.4 * width, width, 0.02 * width)
    return next((lines for lines in map(broken, limits) if len(lines) == fewest), broken(width))


def fade(image: np.ndarray, attention: np.ndarray, strongest: float | None = None) -> np.ndarray:
    """Fade an image smoothly to white except where the attention is.

    Args:
        image: Image, uint8 (H, W, 3).
        attention: Attention weights, float (P,), with P = grid * grid locations of the image, row
            by row.
        strongest: Attention at which the image stays unchanged; by default its own maximum. For a
            frame of a clip, the maximum over all frames.

    Returns:
        uint8 (H, W, 3): the image, unchanged where attention is strongest and faint where there
        is none.
    """
    grid = math.isqrt(attention.size)
    height, width, _ = image.shape
    most = float(attention.max()) or 1.0  # a frame may have no attention
    locations = Image.fromarray((255 * attention / most).reshape(grid, grid).round())
    mask = locations.convert("L").resize((width, height), Image.Resampling.BICUBIC)
    # With the cubic filter alone, the grid would be visible.
    mask = mask.filter(ImageFilter.GaussianBlur(max(height, width) / grid / 2))
    kept = np.asarray(mask, np.float32)[:, :, np.newaxis]  # (H, W, 1)
    share = 1.0 if strongest is None else most / strongest
    kept = _FAINT + (1 - _FAINT) * share * kept / float(kept.max() or 1.0)
    return np.rint(255 - (255 - image) * kept).astype(np.uint8)


def draw_attention(
    image: np.ndarray, words: Sequence[str], attention: np.ndarray, per_row: int
) -> Image.Image:
    """Draw an image, then again for each word, faded where the decoder did not look.

    Args:
        image: Image, uint8 (H, W, 3).
        words: L words.
        attention: Attention weights, float (L, T=1, P).
        per_row: Maximum number of images in a row.
    """
    faded = [fade(image, locations) for locations in attention[:, 0]]
    return draw_sheet([image, *faded], ["", *words], per_row)


def save_figure(image: Image.Image, path: Path) -> None:
    """Write an image atomically, in the format of its suffix.

    Raises:
        CaptionerError: If no format has this suffix, or the file cannot be written.
    """
    try:
        with replacing(path) as partial:
            image.save(partial, quality=92)
    except ValueError as error:
        raise CaptionerError(
            f"cannot write {path} ({error}): give the name of a .jpg or .png file"
        ) from error
