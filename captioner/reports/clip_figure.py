"""Figure of the decoder's attention over a clip: frames from left to right, words downwards.

Like the figure of an image in `figure`, it follows Xu et al. 2015 (arXiv:1502.03044). The attention
of a word is distributed over all locations of all frames, so a frame without attention is entirely
faint.
"""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from captioner.reports.figure import fade
from captioner.reports.text import format_time

_WIDTH = 1800  # the same as for images
_TALLEST = 240  # pixels of a frame's height, so that a clip of two frames does not fill a page
_GAP = 12
_FONT_SIZE = 28
_INK = (36, 41, 47)


def draw_clip_attention(
    frames: np.ndarray,
    times: np.ndarray,
    words: Sequence[str],
    attention: np.ndarray,
    aspect: float = 1.0,
) -> Image.Image:
    """Draw the frames of a clip, then again for each word, faded where the decoder did not look.

    Args:
        frames: Frames as the network read them, uint8 (T, H, W, 3).
        times: Seconds since the start of the video, float (T,), printed above the frames.
        words: L words.
        attention: Attention weights, float (L, T, P), with P = grid * grid locations per frame,
            row by row.
        aspect: Width / height of a frame as displayed; the network's frames are stretched.

    Returns:
        The drawing, at most 1,800 pixels wide.

    Example:
        >>> frames = np.zeros((2, 8, 8, 3), np.uint8)
        >>> drawn = draw_clip_attention(frames, np.arange(2), ["a"], np.ones((1, 2, 49)), 1.5)
        >>> drawn.size[0] > drawn.size[1]
        True
    """
    font = cast(ImageFont.FreeTypeFont, ImageFont.load_default(_FONT_SIZE))
    line_height = sum(font.getmetrics())
    names = [format_time(float(time)) for time in times]
    margin = round(max((font.getlength(word) for word in words), default=0)) + 2 * _GAP
    width = min(round(_TALLEST * aspect), (_WIDTH - margin) // len(frames) - _GAP)
    height = max(round(width / aspect), 1)
    step = width + _GAP
    named = math.ceil(max(map(font.getlength, names)) / width)  # columns that a time label spans
    top = line_height + 2 * _GAP
    sheet = Image.new(
        "RGB", (margin + len(frames) * step, top + (len(words) + 1) * (height + _GAP)), "white"
    )
    draw = ImageDraw.Draw(sheet)
    rows = [list(frames), *(_faded(frames, looked) for looked in attention)]
    for row, (label, images) in enumerate(zip(["", *words], rows, strict=True)):
        y = top + row * (height + _GAP)
        draw.text((margin - _GAP, y + height // 2), label, fill=_INK, font=font, anchor="rm")
        for column, pixels in enumerate(images):
            image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
            sheet.paste(image, (margin + column * step, y))
    for column, name in list(enumerate(names))[::named]:
        middle = margin + column * step + width // 2
        draw.text((middle, _GAP), name, fill=_INK, font=font, anchor="ma")
    return sheet


def _faded(frames: np.ndarray, attention: np.ndarray) -> list[np.ndarray]:
    """Fade frames (T, H, W, 3) except where the attention (T, P) of one word is."""
    strongest = float(attention.max())
    return [fade(frame, looked, strongest) for frame, looked in zip(frames, attention, strict=True)]


def stack_drawings(drawings: Sequence[Image.Image]) -> Image.Image:
    """Stack drawings vertically on a white background.

    Example:
        >>> stack_drawings([Image.new("RGB", (4, 3)), Image.new("RGB", (2, 5))]).size
        (4, 32)
    """
    gap = 2 * _GAP
    height = sum(drawing.height for drawing in drawings) + gap * (len(drawings) - 1)
    sheet = Image.new("RGB", (max(drawing.width for drawing in drawings), height), "white")
    top = 0
    for drawing in drawings:
        sheet.paste(drawing, (0, top))
        top += drawing.height + gap
    return sheet
