from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from captioner.captioner import Captioner
from captioner.media.image import load_image

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import draw_captions

    return draw_captions


@pytest.fixture
def run(script, tiny_preset):
    def run(*arguments):
        return CliRunner().invoke(script.main, [*map(str, arguments), "--preset", str(tiny_preset)])

    return run


@pytest.mark.parametrize("attention", [False, True])
def test_the_command_draws_what_the_captioner_says(script, run, tiny_preset, tmp_path, attention):
    names = [SAMPLES / "cat.jpg"] if attention else [SAMPLES / "cat.jpg", SAMPLES / "dog.jpg"]
    out = tmp_path / "drawn.png"
    result = run(*names, "--out", out, *(["--attention"] if attention else []))
    assert result.exit_code == 0, result.output
    captions = Captioner.from_preset(tiny_preset).generate(names)
    pictures = [load_image(name) for name in names]
    expected = (
        script.draw_attention(pictures[0], captions[0].words, captions[0].attention, 6)
        if attention
        else script.draw_sheet(pictures, [caption.text for caption in captions], 3)
    )
    np.testing.assert_array_equal(load_image(out), np.asarray(expected))
    assert [path.name for path in tmp_path.iterdir()] == ["drawn.png"]


def test_refusals_are_one_sentence(run, tmp_path):
    dog, cat = SAMPLES / "dog.jpg", SAMPLES / "cat.jpg"
    two = run(dog, cat, "--attention", "--out", tmp_path / "x.jpg")
    assert two.exit_code == 2 and "name only one" in two.output
    odd = run(dog, "--out", tmp_path / "x.odd")
    assert odd.exit_code == 1 and "x.odd" in odd.output and ".png" in odd.output
    missing = run(tmp_path / "none.jpg", "--out", tmp_path / "x.jpg")
    assert missing.exit_code == 1 and "none.jpg" in missing.output
    assert list(tmp_path.iterdir()) == []
