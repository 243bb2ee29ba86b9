"""The font of figures: Pillow's own, or a system font that has the letters."""

from collections.abc import Iterable
from functools import cache
from typing import cast

from PIL import ImageFont

from captioner.errors import CaptionerError

# Fonts of Linux, macOS and Windows: European scripts first, then Chinese, Japanese and Korean.
_NAMES = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "Arial.ttf",
    "arial.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "NotoSansThai-Regular.ttf",
    "tahoma.ttf",
)
_NO_CHARACTER = "\uffff"


def find_font(texts: Iterable[str], size: int) -> ImageFont.FreeTypeFont:
    """Return a font that has all letters of some texts.

    Args:
        texts: Texts to draw.
        size: Height in pixels.

    Raises:
        CaptionerError: If neither Pillow's font nor any known system font has all letters.

    Example:
        >>> find_font(["a dog"], 36).size
        36
    """
    letters = {letter for text in texts for letter in text if not letter.isspace()}
    own = cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))
    lacking = _lacking(own, letters)
    if not lacking:
        return own
    for name in _NAMES:
        font = _system_font(name, size)
        if font is not None and not _lacking(font, letters):
            return font
    raise CaptionerError(
        f"no installed font has {' '.join(lacking[:5])}: install one, such as Noto Sans or, "
        "for Chinese, Japanese and Korean, Noto Sans CJK (on Debian: fonts-noto fonts-noto-cjk)"
    )


@cache
def _system_font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _lacking(font: ImageFont.FreeTypeFont, letters: Iterable[str]) -> list[str]:
    """Return the letters that a font draws with its glyph for missing characters."""
    absent = bytes(font.getmask(_NO_CHARACTER))
    return sorted(letter for letter in letters if bytes(font.getmask(letter)) == absent)
