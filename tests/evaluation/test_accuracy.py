import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import binomtest

from captioner.errors import CaptionerError
from captioner.evaluation.accuracy import count_confusion, wilson_interval, write_confusion


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_is_that_of_scipy(counts):
    expected = binomtest(*counts).proportion_ci(method="wilson")
    np.testing.assert_allclose(wilson_interval(*counts), (expected.low, expected.high), atol=1e-12)


def test_report_counts_each_label():
    report = count_confusion(("a", "b", "c"), list("aaabbc"), list("aabbba"))
    assert report.confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert report.accuracy == pytest.approx(4 / 6)
    assert report.per_label() == [
        ("a", 3, pytest.approx(2 / 3), pytest.approx(2 / 3)),
        ("b", 2, 1.0, pytest.approx(2 / 3)),
        ("c", 1, 0.0, 0.0),
    ]
    assert "accuracy 66.7 % (4 of 6 clips)" in report.to_text()


def test_labels_that_the_model_lacks_are_named():
    with pytest.raises(CaptionerError, match="does not know: z; it knows a, b"):
        count_confusion(("a", "b"), ["z"], ["a"])
    with pytest.raises(CaptionerError, match="no clip could be labelled"):
        count_confusion(("a", "b"), [], [])


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_picture_is_dark_where_clips_are(tmp_path, suffix):
    report = count_confusion(("a", "b"), list("aabb"), list("aabb"))
    path = tmp_path / f"confusion.{suffix}"
    write_confusion(report, path)
    pixels = np.asarray(Image.open(path).convert("L"), float)
    cells = pixels[-(2 * 72 + 16) : -16, -(2 * 72 + 16) : -16].reshape(2, 72, 2, 72).mean((1, 3))
    assert cells[0, 0] < 150 > cells[1, 1]
    assert cells[0, 1] > 240 < cells[1, 0]
    # Both axes have titles: ink beyond the names of the labels, which are one letter high.
    assert pixels[:24].min() < 100 > pixels[:, :24].min()
    with pytest.raises(CaptionerError, match="name an image file"):
        write_confusion(report, tmp_path / "confusion.gif")
