import json

import numpy as np

from captioner.reports.row import encode_row
from captioner.results import Caption, Label


def test_a_caption_is_shown_in_a_line():
    attention = np.zeros((2, 1, 49), np.float32)
    dog = Caption("a dog", ("a", "dog"), -1.0, -0.6, attention, confidence=0.5049)
    assert repr(dog) == str(dog) == "Caption('a dog', confidence=0.5, attention=(2, 1, 49))"
    shot = Caption("", (), -9.0, -3.0, alternatives=(dog, dog), span=(0.0, 2.5), uncertain=True)
    assert repr(shot) == "Caption('', span=(0.0, 2.5), uncertain=True, alternatives=2)"
    assert repr(Caption("a dog", (), -1.0, -0.6, partial=True)) == "Caption('a dog', partial=True)"
    assert repr(Label("wave", ("wave",), -0.1, -0.1)) == "Label('wave')"


def test_a_part_of_a_picture_is_told_in_json():
    caption = Caption("a dog", ("a", "dog"), -1.0, -0.6, partial=True)
    row = json.loads(encode_row("a.jpg", caption))
    assert row == {"path": "a.jpg", "caption": "a dog", "log_prob": -1.0, "partial": True}
