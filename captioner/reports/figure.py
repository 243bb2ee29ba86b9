"""Pictures with their captions, and with what the decoder looked at for each word.

The second is the figure of Xu et al. 2015, "Show, Attend and Tell" (arXiv:1502.03044): the picture
once for each word, clear where the decoder looked when it chose that word, and faint elsewhere.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from captioner.errors import CaptionerError
from captioner.replacing import replacing
from captioner.reports.font import find_font

_WIDTH = 1800  # twice what a web page gives it, for dense screens
_TALLEST = 600
_GAP = 24
_FONT_SIZE = 36
_INK = (36, 41, 47)
_FAINT = 0.18  # what is left of the picture where the decoder did not look


def draw_sheet(pictures: Sequence[np.ndarray], texts: Sequence[str], per_row: int) -> Image.Image:
    """Draw pictures of one height in rows on white, each with its text centred under it.

    Args:
        pictures: N uint8 arrays (H, W, 3).
        texts: N texts, wrapped to the width of their pictures.
        per_row: Pictures in a row at most; rows differ by one at most.

    Returns:
        The drawing, at most 1,800 pixels wide.

    Raises:
        CaptionerError: No font is found that has all letters of the texts.
    """
    font = find_font(texts, _FONT_SIZE)
    line_height = sum(font.getmetrics())
    rows = np.array_split(np.arange(len(pictures)), math.ceil(len(pictures) / per_row))
    aspects = [picture.shape[1] / picture.shape[0] for picture in pictures]
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
            picture = Image.fromarray(pictures[index])
            sheet.paste(
                picture.resize((widths[index], height), Image.Resampling.LANCZOS), (left, top)
            )
            middle = left + widths[index] / 2
            for number, line in enumerate(wrapped[index]):
                at = (middle, top + height + _GAP // 2 + number * line_height)
                draw.text(at, line, fill=_INK, font=font, anchor="ma")
            left += widths[index] + _GAP
        top += row_height + _GAP
    return sheet


def wrap(text: str, width: float, font: ImageFont.FreeTypeFont) -> list[str]:
    """Break a text into as few lines as fit a width, none much shorter than the others.

    Args:
        text: Words between blanks; one that is wider than `width` has a line to itself.
        width: In pixels.
        font: That it will be drawn in.

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
    # The narrowest limit that needs no further line.
    limits = np.arange(0.4 * width, width, 0.02 * width)
    return next((lines for lines in map(broken, limits) if len(lines) == fewest), broken(width))


def fade(picture: np.ndarray, attention: np.ndarray, strongest: float | None = None) -> np.ndarray:
    """Fade a picture to white, softly, but for where the attention is.

    Args:
        picture: uint8 (H, W, 3).
        attention: float (P,), P = grid * grid places of the picture, row by row.
        strongest: The attention at which the picture is as it is; by default the strongest of its
            own. Of a frame of a clip, the strongest of all frames.

    Returns:
        uint8 (H, W, 3): the picture as it is at the strongest place, faint where none is.
    """
    grid = math.isqrt(attention.size)
    height, width, _ = picture.shape
    most = float(attention.max()) or 1.0  # of a frame that was not looked at
    places = Image.fromarray((255 * attention / most).reshape(grid, grid).round())
    mask = places.convert("L").resize((width, height), Image.Resampling.BICUBIC)
    # The cubic filter alone shows the grid.
    mask = mask.filter(ImageFilter.GaussianBlur(max(height, width) / grid / 2))
    kept = np.asarray(mask, np.float32)[:, :, np.newaxis]  # (H, W, 1)
    share = 1.0 if strongest is None else most / strongest
    kept = _FAINT + (1 - _FAINT) * share * kept / float(kept.max() or 1.0)
    return np.rint(255 - (255 - picture) * kept).astype(np.uint8)


def draw_attention(
    picture: np.ndarray, words: Sequence[str], attention: np.ndarray, per_row: int
) -> Image.Image:
    """Draw a picture, then once more for each word, clear where the decoder looked.

    Args:
        picture: uint8 (H, W, 3).
        words: L words.
        attention: float (L, T=1, P).
        per_row: Pictures in a row at most.
    """
    faded = [fade(picture, places) for places in attention[:, 0]]
    return draw_sheet([picture, *faded], ["", *words], per_row)


def save_figure(image: Image.Image, path: Path) -> None:
    """Write a picture in the format of its name, whole or not at all.

    Raises:
        CaptionerError: No format has this suffix, or the file cannot be written.
    """
    try:
        with replacing(path) as partial:
            image.save(partial, quality=92)
    except ValueError as error:
        raise CaptionerError(
            f"cannot write {path} ({error}): give the name of a .jpg or .png file"
        ) from error
