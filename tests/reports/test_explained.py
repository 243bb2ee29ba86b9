from pathlib import Path

import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.reports.figure import ExplainedCaption, draw_attention
from captioner.results import Caption

CAT = str(Path(__file__).parents[2] / "data" / "samples" / "cat.jpg")
ATTENTION = np.eye(49, dtype=np.float32)[[0, 24, 48], np.newaxis]
SAID = Caption("a cat sleeps", ("a", "cat", "sleeps"), -1.0, -0.5, ATTENTION)


def test_the_figure_has_the_picture_and_a_map_for_each_word(tmp_path):
    out = tmp_path / "why.png"
    ExplainedCaption(out).write(CAT, [SAID])
    expected = draw_attention(load_image(CAT), SAID.words, ATTENTION, 6)
    np.testing.assert_array_equal(load_image(out), np.asarray(expected))
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        (Caption("a cat", ("a", "cat"), -1.0, -0.5), "no attention"),
        (Caption("a cat", ("a", "cat"), -1.0, -0.5, ATTENTION[:2], span=(0.0, 1.0)), "is a clip"),
        (Caption("", (), -1.0, -0.5, uncertain=True), "no confident caption"),
    ],
)
def test_what_cannot_be_explained(caption, reason, tmp_path):
    with pytest.raises(CaptionerError, match=reason):
        ExplainedCaption(tmp_path / "why.png").write(CAT, [caption])
    assert list(tmp_path.iterdir()) == []


def test_one_picture_alone(tmp_path):
    explained = ExplainedCaption(tmp_path / "why.png")
    explained.write("broken.jpg", [CaptionerError("broken")])
    explained.write(CAT, [SAID])
    with pytest.raises(CaptionerError, match=r"why\.png explains the caption of .*cat\.jpg, not"):
        explained.write(CAT, [SAID])
    assert not explained.wants("-")
