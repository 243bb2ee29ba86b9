import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import captioner
from captioner import Captioner, CaptionerError

SAMPLES = sorted(Path("data/samples").glob("*.jpg"))


@pytest.fixture(scope="module")
def tiny(tiny_preset):
    return Captioner.from_preset(tiny_preset, precision="float32")


def test_the_package_is_cheap_to_import():
    code = "import captioner, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"tensorflow", "keras", "numpy", "PIL"} & set(loaded.stdout.split())


def test_public_names_are_there():
    assert {getattr(captioner, name) is not None for name in captioner.__all__} == {True}
    with pytest.raises(AttributeError, match="no attribute 'Captain'"):
        _ = captioner.Captain


def test_one_picture_in_any_form_gives_the_same_caption(tiny):
    path = SAMPLES[0]
    with Image.open(path) as image:
        sources = [path, str(path), path.read_bytes(), image.copy(), np.asarray(image)]
    captions = [tiny.generate(source) for source in sources]
    assert all(len(found) == 1 for found in captions)
    # Only a file can be decoded at a fraction of its size.
    texts = [found[0].text for found in captions]
    assert texts[0] == texts[1] == texts[2]
    assert texts[3] == texts[4]


def test_captions_come_in_the_order_of_the_pictures(tiny):
    together = tiny.generate(SAMPLES, batch_size=4)
    alone = [tiny.generate(path)[0] for path in SAMPLES]
    assert [caption.words for caption in together] == [caption.words for caption in alone]
    assert [c.log_prob for c in together] == pytest.approx([c.log_prob for c in alone], abs=1e-3)


def test_alternatives_fall_in_score_and_differ(tiny):
    best = tiny.generate(SAMPLES[0], num_captions=5)[0]
    ranked = [best, *best.alternatives]
    assert len({caption.words for caption in ranked}) == len(ranked) == 5
    scores = [caption.score for caption in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(c.score == pytest.approx(c.log_prob / (len(c.words) + 1) ** 0.7) for c in ranked)


def test_attention_has_a_map_for_each_word(tiny):
    caption = tiny.generate(SAMPLES[0])[0]
    assert caption.attention.shape == (len(caption.words), 1, 49)
    np.testing.assert_allclose(caption.attention.sum((1, 2)), 1, atol=1e-5)


def test_options_reach_the_search(tiny):
    assert all(len(c.words) <= 2 for c in tiny.generate(SAMPLES, max_length=2, min_length=1))
    assert all(len(c.words) >= 5 for c in tiny.generate(SAMPLES, min_length=5))


def test_a_bad_picture_never_stops_the_stream(tiny, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"bad")
    images = [SAMPLES[0], tmp_path / "bad.jpg", SAMPLES[1], tmp_path / "absent.jpg"]
    results = list(tiny.stream(images, batch_size=3))
    assert [isinstance(result, CaptionerError) for result in results] == [False, True, False, True]
    assert "bad.jpg" in str(results[1])
    with pytest.raises(CaptionerError, match=r"bad\.jpg"):
        tiny.generate(images)


def test_no_pictures_are_no_captions(tiny):
    assert tiny.generate([]) == []


def test_save_to_preset_round_trip(tiny, tmp_path):
    tiny.save_to_preset(tmp_path / "copy")
    copy = Captioner.from_preset(tmp_path / "copy", precision="float32")
    assert copy.generate(SAMPLES[0])[0].text == tiny.generate(SAMPLES[0])[0].text
