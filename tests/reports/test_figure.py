import numpy as np
import pytest
from PIL import Image, ImageFont

from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.reports.figure import draw_attention, draw_sheet, fade, save_figure, wrap


def test_pictures_stand_side_by_side_at_one_height():
    pictures = [np.full((60, width, 3), 90, np.uint8) for width in (60, 90, 30)]
    sheet = np.asarray(draw_sheet(pictures, ["a dog", "", "x"], per_row=3))
    grey = (sheet == 90).all(axis=2)
    columns = np.flatnonzero(np.diff(grey.any(axis=0)))
    widths = columns[1::2] - columns[::2]
    heights = [grey[:, left + 1].sum() for left in columns[::2]]
    assert len(set(heights)) == 1
    np.testing.assert_allclose(widths, heights[0] * np.array([1, 1.5, 0.5]), atol=1)
    # Ink only under the pictures that have a text.
    below = np.flatnonzero(grey.any(axis=1)).max() + 1
    ink = [
        sheet[below:, left:right].min() < 128
        for left, right in zip(columns[::2], columns[1::2], strict=True)
    ]
    assert ink == [True, False, True]


def test_rows_hold_at_most_so_many_and_fill_the_width():
    pictures = [np.full((50, 100, 3), 90, np.uint8)] * 5
    sheet = np.asarray(draw_sheet(pictures, ["word"] * 5, per_row=3))
    grey = (sheet == 90).all(axis=2)
    tops = np.flatnonzero(np.diff(grey.any(axis=1)))[::2]
    counts = [np.count_nonzero(np.diff(grey[top + 1])) // 2 for top in tops]
    assert counts == [3, 2]
    assert 1790 <= sheet.shape[1] <= 1800


def test_text_is_wrapped_to_the_width_and_whole():
    font = ImageFont.load_default(36)
    text = "two young men in red shirts are playing a game of soccer on a green field"
    for width in (200, 400, 700, 5000):
        lines = wrap(text, width, font)
        assert " ".join(lines) == text
        assert all(font.getlength(line) <= width for line in lines)
        assert len(lines) >= font.getlength(text) / width
    assert wrap(text, 5000, font) == [text]
    assert wrap("a wordthatistoowide", 50, font) == ["a", "wordthatistoowide"]
    assert wrap("", 50, font) == []


@pytest.mark.parametrize("grid", [7, 14])
def test_a_picture_fades_but_for_where_the_attention_is(grid):
    picture = np.zeros((140, 280, 3), np.uint8)
    for row, column in ((0, grid - 1), (grid // 2, grid // 2), (grid - 1, 0)):
        attention = np.zeros(grid * grid, np.float32)
        attention[row * grid + column] = 0.5
        faded = fade(picture, attention).astype(int).sum(axis=2)
        darkest = np.argwhere(faded == faded.min()).mean(axis=0) / picture.shape[:2] * grid
        np.testing.assert_allclose(darkest, (row + 0.5, column + 0.5), atol=0.75)
        assert faded.min() == 0 and faded.max() > 3 * 200
    assert not fade(picture, np.full(grid * grid, 1 / grid**2, np.float32)).any()


def test_attention_shows_the_picture_and_once_more_for_each_word():
    picture = np.full((70, 70, 3), 90, np.uint8)
    attention = np.eye(49, dtype=np.float32)[[0, 24, 48], np.newaxis]  # (L=3, T=1, P)
    sheet = np.asarray(draw_attention(picture, ["a", "red", "dog"], attention, per_row=4))
    lefts = (24, 468, 912, 1356)  # four times 420 pixels, 24 between them
    cells = [sheet[24:444, left : left + 420] for left in lefts]
    assert (cells[0] == 90).all()
    darkest = [np.argwhere(cell[:, :, 0] < 100).mean(axis=0) for cell in cells[1:]]
    assert np.all(np.diff(darkest, axis=0) > 100)  # from the top left to the bottom right


def test_a_figure_is_written_whole_or_not_at_all(tmp_path):
    save_figure(Image.new("RGB", (8, 8), "red"), tmp_path / "a.png")
    assert (load_image(tmp_path / "a.png") == (255, 0, 0)).all()
    with pytest.raises(CaptionerError, match=r"cannot write .*a\.odd .*\.png"):
        save_figure(Image.new("RGB", (8, 8)), tmp_path / "a.odd")
    with pytest.raises(CaptionerError, match=r"cannot write .*none/a\.png"):
        save_figure(Image.new("RGB", (8, 8)), tmp_path / "none" / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
