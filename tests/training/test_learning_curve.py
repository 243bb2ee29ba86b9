import csv
import json
import os

import pytest

from captioner.errors import CaptionerError
from captioner.training.epoch_samples import Sample, write_samples
from captioner.training.learning_curve import curve_text, read_curves, sparkline


def write_stage(folder, scores, planned=None, when=0):
    folder.mkdir(parents=True)
    with (folder / "log.csv").open("w", newline="") as file:
        writer = csv.DictWriter(
            file,
            [
                "epoch",
                "loss",
                "BLEU-1",
                "BLEU-4",
                "CIDEr",
                "CIDEr coco",
                "CIDEr-D",
                "train_seconds",
                "validation_seconds",
            ],
        )
        writer.writeheader()
        for n, score in enumerate(scores, start=1):
            row = (n, 5 - n, 0.9, score / 2, score, score / 4, score, 50.0, 10.0)
            writer.writerow(dict(zip(writer.fieldnames, row, strict=True)))
    os.utime(folder / "log.csv", (when, when))
    if planned:
        (folder / "options.json").write_text(json.dumps({"stage": {"epochs": planned}}))


@pytest.fixture
def run(tmp_path):
    write_stage(tmp_path / "run" / "frozen", [0.25, 0.75, 0.5], planned=9, when=10)
    write_stage(tmp_path / "run" / "finetune", [0.8], when=20)
    for epoch, text in enumerate(("a cat", "a dog", "a dog"), start=1):
        write_samples(tmp_path / "run" / "frozen", [Sample(epoch, "x/a.jpg", text, "Our dog.")])
    return tmp_path / "run"


def test_stages_are_in_the_order_of_their_end(run):
    frozen, finetune = read_curves(run)
    assert (frozen.name, finetune.name) == ("frozen", "finetune")
    assert (frozen.best, frozen.planned, finetune.planned) == (2, 9, None)
    assert frozen.values("CIDEr") == [25, 75, 50] and frozen.values("loss") == [4, 3, 2]
    assert frozen.shown == ["BLEU-4", "CIDEr", "CIDEr coco"]
    (alone,) = read_curves(run / "frozen")
    assert alone.name == "" and alone.rows == frozen.rows


def test_what_a_terminal_shows(run):
    assert curve_text(read_curves(run)[0]) == (
        "frozen: 3 of 9 epochs, 3 min; the best is epoch 2\n"
        "  loss          4.000 █▅▁ 2.000\n"
        "  BLEU-4         12.5 ▁█▅ 25.0\n"
        "  CIDEr          25.0 ▁█▅ 50.0\n"
        "  CIDEr coco      6.2 ▁█▅ 12.5\n"
        "  a.jpg\n"
        "    epoch 1: a cat\n"
        "    epoch 2: a dog\n"
        "    people: Our dog."
    )


def test_a_line_is_no_wider_than_a_terminal():
    assert sparkline([1.0] * 3) == "▁▁▁"
    for count in (1, 59, 60, 61, 1000):
        line = sparkline(list(range(count)))
        assert len(line) <= 60 and list(line) == sorted(line)
        assert len(line) == count or len(line) >= 31


def test_what_is_no_training_is_named(run, tmp_path):
    with pytest.raises(CaptionerError, match=r"has no log\.csv: give the folder"):
        read_curves(tmp_path / "run" / "frozen" / "best")
    for content in ("", "epoch,loss\n1,2\n", "epoch,loss,CIDEr\n1,2\n", "epoch,CIDEr\n1,x\n", "\0"):
        (run / "finetune" / "log.csv").write_text(content)
        with pytest.raises(CaptionerError, match=r"finetune.log\.csv is not the log of a training"):
            read_curves(run)
