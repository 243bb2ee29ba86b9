"""What notebooks show of a caption, read by an HTML parser and an image library."""

import base64
import io

import numpy as np
import pytest
from lxml import html
from PIL import Image

from captioner.results import Caption, Label

WORDS = ("a", '<script>"&', "sleeps")


def attention(frames=1, side=7):
    looked = np.zeros((3, frames, side * side), np.float32)
    looked[0, 0, 0] = looked[1, -1, -1] = 0.8
    looked[2, 0, 0] = 0.2
    return looked


def maps(page):
    found = []
    for image in page.findall(".//img"):
        kind, _, data = image.get("src").partition(",")
        assert kind == "data:image/png;base64"
        found.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))))
    return found


@pytest.mark.parametrize(("frames", "shown"), [(1, 1), (3, 3), (16, 8)])
def test_each_word_has_the_map_of_its_attention(frames, shown):
    said = Caption("a <b> sleeps", WORDS, -1.0, -0.5, attention(frames), confidence=0.25)
    page = html.fromstring(said._repr_html_())
    assert [each.text for each in page.findall(".//figcaption")] == list(WORDS)
    assert page.findall(".//script") == []
    assert page.find("p/b").text == "a <b> sleeps" and "confidence 0.25" in page.text_content()
    first, second, third = maps(page)
    assert first.shape == (7, 7 * shown)
    # Dark where the decoder looked; all words on one scale.
    assert first[0, 0] == 0 and first.sum() == 255 * (first.size - 1)
    assert second[-1, -1] == 0 and second.sum() == 255 * (second.size - 1)
    assert third[0, 0] == round(255 * 0.75)
    assert [image.get("alt") for image in page.findall(".//img")][2].endswith("sleeps")


def test_it_is_light():
    looked = np.random.default_rng(1).random((18, 8, 49)).astype(np.float32)
    said = Caption("word " * 18, ("word",) * 18, -1.0, -0.5, looked)
    assert len(said._repr_html_()) < 20_000
    plain = Caption("a dog", ("a", "dog"), -1.0, -0.5, span=(1.0, 2.5))
    assert len(plain._repr_html_()) < 200
    assert "1.0 to 2.5 s" in plain._repr_html_()


def test_alternatives_and_labels_and_captions_that_are_withheld():
    label = Label.from_probabilities(["nod", "a<b"], np.array([0.25, 0.75]), count=2)
    page = html.fromstring(label._repr_html_())
    assert page.text_content() == "a<b probability 0.75nod probability 0.25"
    withheld = Caption("", (), -1.0, -0.5, confidence=0.1, uncertain=True)
    assert "no confident description" in withheld._repr_html_()
    nothing = Caption("", (), -1.0, -0.5, np.zeros((0, 1, 49), np.float32))
    assert "img" not in nothing._repr_html_()
