import numpy as np
import pytest
from PIL import Image

from captioner.cli import main
from captioner.errors import CaptionerError
from captioner.presets.storage import read_preset, write_preset
from captioner.training import teaching
from captioner.training.taught_page import write_taught_page
from captioner.training.teaching import teach

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    rows = ["Image;Caption"]
    for n in range(8):
        colour = (255, 0, 0) if n % 2 else (0, 0, 255)
        pixels = np.full((32, 32, 3), colour, np.uint8) ^ rng.integers(0, 9, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.png")
        rows.append(f"{n}.png ;{'rex on the grass' if n % 2 else 'two dogs in water'}")
    rows.append(";")
    rows.append("0.png;")
    (folder / "captions.csv").write_text("\ufeff" + "\r\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def taught(world, tiny_preset):
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "_STEPS", 16)
        patch.setattr(teaching, "_EPOCHS", 2)
        found = teach(world, world / "mine", preset=str(tiny_preset), report=lines.append)
    assert lines[0].startswith("6 training images, 2 validation images; 2 new words: rex, dogs")
    (left_out,) = [line for line in lines if line.startswith("left out: ")]
    assert "line 11, has an empty caption" in left_out
    return found


def test_the_words_are_learnt_and_vgg16_stays(taught, tiny_preset):
    before, after = read_preset(tiny_preset), read_preset(taught.preset)
    assert taught.new_words == ["rex", "dogs"]
    assert {"rex", "dogs"} <= set(after.vocabulary.words)
    assert after.config == before.config
    for name, array in before.weights.items():
        if name.startswith("encoder/"):
            np.testing.assert_array_equal(after.weights[name], array)
    for name in ("decoder/key/kernel", "decoder/language_lstm/kernel"):
        assert not np.array_equal(after.weights[name], before.weights[name])
    assert after.graphs.keys() == before.graphs.keys()
    assert "Taught on captions (6 training images, 2 validation images)" in after.card


def test_what_came_of_it_is_told(taught):
    assert len(taught.history) == 2 and "loss" in taught.history[0]
    assert len(taught.samples) == 2
    assert taught.before.keys() == taught.after.keys() >= {"CIDEr", "BLEU-4"}
    assert not taught.preset.with_name("mine.teaching").exists()


def test_the_page(taught, tmp_path):
    write_taught_page(taught, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "2 new words: rex, dogs" in text and text.count("<polyline") == 2
    assert text.count("<article>") == 2 and "http" not in text


def test_a_preset_that_is_there_is_not_replaced(taught, world, tiny_preset):
    with pytest.raises(CaptionerError, match="is there already"):
        teach(world, taught.preset, preset=str(tiny_preset))


def test_a_run_killed_before_its_last_step_resumes(world, tiny_preset, tmp_path, monkeypatch):
    monkeypatch.setattr(teaching, "_STEPS", 1)
    monkeypatch.setattr(teaching, "_EPOCHS", 1)

    def run(seed=1):
        out = tmp_path / "mine"
        return teach(world, out, preset=str(tiny_preset), seed=seed, report=lambda line: None)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(teaching, "write_preset", interrupted_at(tmp_path / "mine"))
        run()
    assert (tmp_path / "mine" / "SHA256SUMS").exists()  # and beside it what it was made of
    written = (tmp_path / "mine" / "SHA256SUMS").read_bytes()
    with pytest.raises(CaptionerError, match=r"another seed.*delete that folder to start again"):
        run(seed=2)
    assert run().new_words == ["rex", "dogs"]
    assert (tmp_path / "mine" / "SHA256SUMS").read_bytes() == written
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def interrupted_at(last):
    def write(folder, *args, **options):
        write_preset(folder, *args, **options)
        if folder == last:
            raise KeyboardInterrupt

    return write


def test_too_few_images(world, tiny_preset, tmp_path):
    (tmp_path / "t.csv").write_text("image,caption\n0.png,a\n1.png,b\n")
    with pytest.raises(CaptionerError, match='no images in the split "val": give at least four'):
        teach(tmp_path / "t.csv", tmp_path / "out", preset=str(tiny_preset), images=world)


def test_the_command(world, tiny_preset, tmp_path, monkeypatch):
    from click.testing import CliRunner

    monkeypatch.setattr(teaching, "_STEPS", 1)
    monkeypatch.setattr(teaching, "_EPOCHS", 1)
    out, page = tmp_path / "mine", tmp_path / "mine.html"
    arguments = ["teach", world, "--out", out, "--preset", tiny_preset, "--report", page]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    assert "2 images held out from training: BLEU-4 " in result.stdout
    assert result.stdout.endswith(f"{out}: 2 new words\n")
    assert "left out: " in result.stderr and page.exists()
