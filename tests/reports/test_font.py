import pytest
from PIL import ImageFont

from captioner.errors import CaptionerError
from captioner.reports import font as font_module
from captioner.reports.font import find_font


def test_english_is_drawn_in_pillows_own_font():
    assert find_font(["a brown dog's ball"], 20).getname() == ImageFont.load_default(20).getname()


def test_no_boxes_are_drawn_where_no_font_has_the_letters(monkeypatch):
    monkeypatch.setattr(font_module, "_NAMES", ())
    with pytest.raises(CaptionerError, match=r"no installed font has é 红: install one"):
        find_font(["été", "红"], 20)


def test_a_font_of_the_system_is_taken():
    try:
        ImageFont.truetype("DejaVuSans.ttf", 20)
    except OSError:
        pytest.skip("needs DejaVu Sans")
    assert find_font(["étoile"], 20).getname()[0] == "DejaVu Sans"
