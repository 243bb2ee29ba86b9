import numpy as np
import pytest
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.training.curve_figure import draw_curves, write_curves
from captioner.training.epoch_samples import Sample
from captioner.training.learning_curve import LearningCurve

pytest.importorskip("matplotlib", reason="in the extra plots")


@pytest.fixture
def curves(tmp_path):
    Image.new("RGB", (320, 240), (255, 0, 0)).save(tmp_path / "red.png")
    said = [
        Sample(n, str(tmp_path / name), f"{name} {n}", "A $wall$ of 5 %.")
        for n in (1, 2, 3)
        for name in ("red.png", "gone.png")
    ]
    rows = [{"epoch": n, "loss": 5 - n, "CIDEr": n / 4, "BLEU-4": n / 9} for n in (1.0, 2.0, 3.0)]
    return [
        LearningCurve("presence", ({"epoch": 1.0, "loss": 0.5, "mAP": 0.25},)),
        LearningCurve("frozen", tuple(rows), samples=tuple(said)),
    ]


def test_lines_are_the_values_of_the_log_stage_after_stage(curves):
    figure = draw_curves(curves)
    loss, scores, *images = figure.axes
    drawn = [tuple(map(list, line.get_data())) for line in loss.lines if len(line.get_xdata()) != 2]
    assert drawn == [([1], [0.5]), ([2, 3, 4], [4, 3, 2])]
    by_name = {line.get_label(): line for line in scores.lines}
    assert list(by_name["mAP"].get_ydata()) == [25]
    (cider,) = [line for line in scores.lines if list(line.get_ydata()) == [25, 50, 75]]
    assert list(cider.get_xdata()) == [2, 3, 4]
    assert {text.get_text() for text in scores.get_legend().get_texts()} == {
        "mAP",
        "BLEU-4",
        "CIDEr",
    }
    assert not any(text.get_parse_math() for axes in images for text in axes.texts)
    texts = [text.get_text() for axes in images for text in axes.texts]
    assert texts == [
        f"frozen 1: {n} 1\nfrozen 2: {n} 2\nfrozen 3: {n} 3\npeople: A $wall$ of 5 %."
        for n in ("red.png", "gone.png")
    ]


def test_the_picture_shows_the_images_that_are_still_there(curves, tmp_path):
    out = tmp_path / "curve.png"
    write_curves(curves, out)
    pixels = load_image(out)
    red = np.abs(pixels.astype(int) - (255, 0, 0)).max(axis=2) < 30
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert red.sum() > 10_000
    assert abs(np.ptp(columns) / np.ptp(rows) - 4 / 3) < 0.1
    write_curves(curves, tmp_path / "curve.svg")
    assert (tmp_path / "curve.svg").read_text().startswith("<?xml")


def test_refusals(curves, tmp_path, monkeypatch):
    for name in ("curve.odd", "curve"):
        with pytest.raises(CaptionerError, match=rf"cannot write .*{name}.*: name a \.png file"):
            write_curves(curves, tmp_path / name)
    monkeypatch.setattr("captioner.training.curve_figure.find_spec", lambda name: None)
    with pytest.raises(CaptionerError, match=r"pip install 'captioner\[plots\]'"):
        write_curves(curves, tmp_path / "curve.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["red.png"]
