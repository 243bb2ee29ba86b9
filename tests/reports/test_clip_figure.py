import numpy as np
from PIL import Image

from captioner.reports.clip_figure import draw_clip_attention, stack_drawings


def test_a_row_a_word_and_a_column_a_frame():
    frames = np.zeros((3, 70, 70, 3), np.uint8)  # black, so that dark is where the decoder looked
    attention = np.zeros((2, 3, 49), np.float32)
    attention[0, 0, 0] = attention[1, 2, 48] = 0.75
    attention[0, 1, 24] = attention[1, 0, 24] = 0.25
    sheet = draw_clip_attention(frames, np.array([0.0, 0.5, 61.0]), ["red", "dog"], attention)
    gray = np.asarray(sheet.convert("L"))
    assert sheet.width <= 1800
    left = next(x for x in range(gray.shape[1]) if (gray[:, x] == 0).sum() >= 200)
    black = gray[:, left] == 0
    top = int(np.flatnonzero(black)[0])
    size = int(np.argmin(black[top:]))
    cells = [
        [
            gray[y : y + size, left + x : left + x + size]
            for x in range(0, 3 * (size + 12), size + 12)
        ]
        for y in (top, top + size + 12, top + 2 * (size + 12))
    ]
    assert all((cell == 0).all() for cell in cells[0])
    darkest = [[int(cell.min()) for cell in row] for row in cells[1:]]
    # The strongest place of a word is as it is, one of a third half faint, all others wholly.
    faint = round(255 * (1 - 0.18))
    third = round(255 * (1 - 0.18 - 0.82 / 3))
    np.testing.assert_allclose(darkest, [[0, third, faint], [third, faint, 0]], atol=2)
    at = np.argwhere(cells[2][2] == 0).mean(axis=0) / size * 7
    assert (at > 6).all()  # the last place is at the bottom right


def test_many_frames_fit_the_width_and_keep_their_shape():
    frames = np.zeros((16, 28, 28, 3), np.uint8)
    sheet = draw_clip_attention(frames, np.arange(16) / 4, ["a"], np.ones((1, 16, 49)), 16 / 9)
    assert sheet.width <= 1800
    gray = np.asarray(sheet.convert("L"))
    column = int(np.flatnonzero((gray == 0).sum(axis=0) > 20)[0])
    height = int(np.argmin(gray[np.flatnonzero(gray[:, column] == 0)[0] :, column] == 0))
    width = int(np.argmin(gray[np.flatnonzero(gray[:, column] == 0)[5], column:] == 0))
    assert abs(width / height - 16 / 9) < 0.05


def test_drawings_under_one_another():
    red, blue = Image.new("RGB", (5, 4), "red"), Image.new("RGB", (9, 2), "blue")
    sheet = stack_drawings([red, blue])
    assert sheet.size == (9, 4 + 24 + 2)
    assert sheet.getpixel((0, 0)) == (255, 0, 0) and sheet.getpixel((8, 29)) == (0, 0, 255)
    assert sheet.getpixel((8, 0)) == (255, 255, 255)
