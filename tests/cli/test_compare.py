import json

import pytest
from click.testing import CliRunner

from captioner.cli import main


@pytest.fixture
def files(tmp_path):
    rows = [f"{n}.jpg;A dog number {n} runs on the green grass.\n" for n in range(40)]
    (tmp_path / "truth.csv").write_text("image;caption\n" + "".join(rows))
    for name, text in (("good", "a dog number {} runs on the grass"), ("bad", "a cat {} is here")):
        lines = [{"path": f"photos/{n}.jpg", "caption": text.format(n)} for n in range(40)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def test_the_table_says_which_is_better_and_how_surely(files):
    common = ("--references", files / "truth.csv", "--no-meteor", "--resamples", 200)
    done = run(files / "bad.jsonl", files / "good.jsonl", *common)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[2:4]] == ["bad.jsonl", "good.jsonl"]
    table = [line.split("|")[1:-1] for line in lines[2:] if line.startswith("|")]
    cells = {name.strip(): values for name, *values in table}
    assert list(cells) == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"]
    first, second, difference, _, p_value = cells["ROUGE-L"]
    assert float(difference) == pytest.approx(float(second) - float(first), abs=0.11)
    assert float(p_value) < 0.05
    found = json.loads(run(files / "bad.jsonl", files / "good.jsonl", *common, "--json").stdout)
    assert found["differences"]["ROUGE-L"]["difference"] == pytest.approx(
        found["second"]["ROUGE-L"] - found["first"]["ROUGE-L"]
    )
    same = json.loads(run(files / "bad.jsonl", files / "bad.jsonl", *common, "--json").stdout)
    assert {d["difference"] for d in same["differences"].values()} == {0}


def test_a_model_and_a_file(tiny_preset, tmp_path):
    from pathlib import Path

    samples = Path(__file__).parents[2] / "data" / "samples"
    rows = [f"{samples / name}.jpg,A dog on the red grass.\n" for name in ("cat", "dog")]
    (tmp_path / "captions.csv").write_text("image,caption\n" + "".join(rows))
    (tmp_path / "said.json").write_text(json.dumps({"cat": "a dog on grass", "dog": "a man"}))
    data = ("--dataset", tmp_path / "captions.csv", "--split", "all")
    done = run(tiny_preset, tmp_path / "said.json", *data, "--no-meteor", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["first"]["name"] == str(tiny_preset)
    assert found["second"]["name"] == "said.json"
    assert found["second"]["ROUGE-L"] > 0.2


def test_what_is_missing_is_said(files):
    done = run(files / "good.jsonl", "nosuch", "--references", files / "truth.csv")
    assert done.exit_code == 2
    assert "Give --dataset for models" in done.stderr and "nosuch is not a file" in done.stderr
    assert run(files / "good.jsonl", files / "bad.jsonl").exit_code == 2
