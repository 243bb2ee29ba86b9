import csv
import json

import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.evaluation.evaluation import evaluate_captions
from captioner.evaluation.image_scores import image_scores, sentence_bleu, write_image_scores

REFERENCES = {
    "1.jpg": ["A dog runs, on the grass.", "One dog."],
    "2.jpg": ["A cat sleeps.", "The cat is asleep."],
    "é.jpg": ["Two men stand in the snow.", "Men in snow."],
}
CAPTIONS = {"1.jpg": "a dog runs", "2.jpg": "a man, asleep", "é.jpg": "two men in the snow"}


@pytest.fixture(scope="module")
def evaluation():
    return evaluate_captions(CAPTIONS, REFERENCES, name="mine", resamples=20)


def test_scores_are_those_of_the_whole_image_by_image(evaluation):
    scores = image_scores(evaluation)
    assert list(scores) == list(CAPTIONS)
    for name in ("ROUGE-L", "CIDEr"):
        mean = np.mean([own[name] for own in scores.values()])
        assert mean == pytest.approx(evaluation.metrics[name].score)
    words = sentence_bleu("a man asleep", ["a cat sleeps", "the cat is asleep"])
    assert [scores["2.jpg"][f"BLEU-{n}"] for n in range(1, 5)] == pytest.approx(words)
    assert scores["2.jpg"]["BLEU-4"] > 0  # which without smoothing it is not
    assert image_scores(evaluation, "nist")["2.jpg"]["BLEU-1"] == scores["2.jpg"]["BLEU-1"]


def test_table_and_json_hold_the_same(evaluation, tmp_path):
    write_image_scores(evaluation, tmp_path / "a.csv")
    write_image_scores(evaluation, tmp_path / "a.json")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    content = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert content["smoothing"] == "add-one"
    for row, image in zip(rows, content["images"], strict=True):
        assert image.pop("references") == REFERENCES[row["image"]]
        assert row == {name: str(value) for name, value in image.items()}
        assert {"sentence BLEU-1", "sentence BLEU-4", "ROUGE-L", "CIDEr"} <= row.keys()
        assert row["caption"] == CAPTIONS[row["image"]]


def test_other_files_are_refused(evaluation, tmp_path):
    with pytest.raises(CaptionerError, match=r"a\.xlsx: .* \.csv or \.json"):
        write_image_scores(evaluation, tmp_path / "a.xlsx")
