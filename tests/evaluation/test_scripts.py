"""The scripts that score files, run as a user runs them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nltk.translate.bleu_score import corpus_bleu

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, SCRIPTS / script, *map(str, arguments)], capture_output=True, text=True
    )


@pytest.fixture
def files(tmp_path):
    references = {
        "images": [{"id": number} for number in range(40)],
        "annotations": [
            {"image_id": number, "caption": f"A dog number {number} runs on the green grass."}
            for number in range(40)
        ],
    }
    (tmp_path / "references.json").write_text(json.dumps(references))
    results = [{"image_id": n, "caption": f"a dog number {n} runs on the grass"} for n in range(40)]
    (tmp_path / "good.json").write_text(json.dumps(results))
    return tmp_path


def test_evaluate_bleu(files):
    done = run("evaluate_bleu.py", files / "good.json", "--references", files / "references.json")
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head == "good.json, test split, 40 images"
    references = [[f"a dog number {n} runs on the green grass".split()] for n in range(40)]
    candidates = [f"a dog number {n} runs on the grass".split() for n in range(40)]
    for order, line in enumerate(lines[:4], start=1):
        expected = corpus_bleu(references, candidates, weights=[1 / order] * order)
        assert line.startswith(f"BLEU-{order}  {100 * expected:6.1f}  (")
    assert [line.split()[0] for line in lines[4:]] == ["ROUGE-L", "CIDEr"]


def test_evaluate_bleu_of_a_model(files, tiny_preset):
    dataset = files / "captions.csv"
    samples = sorted(Path("data/samples").glob("*.jpg"))[:2]
    rows = [f"{path.resolve()},a dog runs on the grass,val\n" for path in samples]
    dataset.write_text("image,caption,split\n" + "".join(rows))
    done = run("evaluate_bleu.py", "--preset", tiny_preset, "--dataset", dataset, "--split", "val")
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head == f"{tiny_preset}, val split, 2 images"
    assert len(lines) == 6
    assert run("evaluate_bleu.py", "--preset", tiny_preset).returncode == 2


def test_errors_are_one_line(files):
    done = run("evaluate_bleu.py", files / "references.json", "--references", files / "good.json")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and "references.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_benchmark_of_metrics_prints_ratios():
    done = run("benchmarks/metrics.py", "--images", 60, "--repeats", 1, "--json")
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    rows = [row for row in measured.values() if isinstance(row, dict)]
    assert len(rows) == 4
    for row in rows:
        assert row["ratio"] == pytest.approx(row["pycocoevalcap_s"] / row["captioner_s"])
        assert row["largest_error"] < 1e-9
