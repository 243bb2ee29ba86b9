import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.captioner import Captioner
from captioner.datasets.readers import read_dataset
from captioner.evaluation.confirmation import confirmed_share
from captioner.search.confidence import Calibration

ROOT = Path(__file__).parents[1]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import calibrate

    return calibrate


@pytest.fixture
def workspace(tiny_preset, tmp_path):
    """A preset to write to, and a data set whose captions confirm some of what it says."""
    shutil.copytree(tiny_preset, tmp_path / "preset")
    captioner = Captioner.from_preset(tiny_preset)
    rows = ["image,caption,split"]
    rng = np.random.default_rng(0)
    for number in range(12):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)
        words = captioner.generate(path)[0].words
        rows.append(f"{path.name},{' '.join(words[: number % 4]) or 'nothing'},val")
    (tmp_path / "captions.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_preset_without_confidence_says_how_to_choose_one(script, workspace):
    arguments = [str(workspace / "preset"), "--dataset", str(workspace / "captions.csv")]
    done = CliRunner().invoke(script.main, arguments)
    assert done.exit_code != 0
    assert "--fit" in done.output


@pytest.mark.slow
def test_fit_writes_a_confidence_that_captions_then_have(script, workspace):
    arguments = [str(workspace / "preset"), "--dataset", str(workspace / "captions.csv")]
    fitted = CliRunner().invoke(script.main, [*arguments, "--fit"])
    assert fitted.exit_code == 0, fitted.output
    curve = json.loads((workspace / "preset/config.json").read_text())["confidence"]

    captioner = Captioner.from_preset(workspace / "preset")  # its checksums hold
    given = []
    for number in range(12):
        caption = captioner.generate(workspace / f"{number}.png")[0]
        assert caption.confidence == pytest.approx(
            Calibration(**curve).confidence(caption.log_prob, len(caption.words)), abs=1e-6
        )
        given.append(caption.confidence)

    plot = workspace / "plot.png"
    measured = CliRunner().invoke(script.main, [*arguments, "--plot", str(plot)])
    assert measured.output == fitted.output
    groups = re.findall(r"^\| ([\d.]+) +\| +([\d.]+) \|$", measured.output, re.MULTILINE)
    assert len(groups) == 10
    lowest = np.mean(sorted(given)[:2])  # twelve captions in ten groups, the first of two
    assert float(groups[0][0]) == pytest.approx(lowest, abs=0.006)
    with Image.open(plot) as image:
        assert image.size == (480, 480)


@pytest.mark.slow
def test_json_shows_the_confidence(workspace, script):
    arguments = [str(workspace / "preset"), "--dataset", str(workspace / "captions.csv"), "--fit"]
    CliRunner().invoke(script.main, arguments)
    from captioner.cli.caption import main

    done = CliRunner().invoke(
        main, ["--jsonl", "--preset", str(workspace / "preset"), str(workspace / "0.png")]
    )
    row = json.loads(done.output)
    caption = Captioner.from_preset(workspace / "preset").generate(workspace / "0.png")[0]
    assert row["confidence"] == round(caption.confidence, 2)


@pytest.mark.slow
def test_each_data_set_has_a_row_of_its_own(workspace, script):
    table = (workspace / "captions.csv").read_text()
    shutil.copy(workspace / "captions.csv", workspace / "again.csv")
    arguments = [str(workspace / "preset"), "--fit"]
    for name in ("captions.csv", "again.csv"):
        arguments += ["--dataset", str(workspace / name)]
    done = CliRunner().invoke(script.main, arguments)
    assert done.exit_code == 0, done.output
    assert table.count(",val") == 12
    rows = re.findall(r"^\| (\w+\.csv) +\| +12 \| (.*)$", done.output, re.MULTILINE)
    assert [name for name, _ in rows] == ["captions.csv", "again.csv"]
    assert rows[0][1] == rows[1][1]
    confirmed = float(rows[0][1].split("|")[1])
    assert confirmed == pytest.approx(np.mean(_shares(workspace)), abs=0.006)


def _shares(workspace):
    captioner = Captioner.from_preset(workspace / "preset")
    examples = read_dataset(workspace / "captions.csv").split("val")
    found = captioner.generate([example.path for example in examples])
    return [confirmed_share(c.words, e.tokens) for c, e in zip(found, examples, strict=True)]
