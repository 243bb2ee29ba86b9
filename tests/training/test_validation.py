import csv

import keras
import pytest

from captioner.training.validation import Scored, Validation


@pytest.fixture
def train(tmp_path):
    def run(rows, patience=3, captions=None, begun=()):
        lines, best, given = [], [], {}

        def score():
            return Scored({"BLEU-4": 0.0, "CIDEr": given["row"][0]}, captions or {})

        validation = Validation(
            tmp_path,
            variables=lambda: [keras.Variable(0.0)],
            score=score,
            save_best=lambda scores: best.append(given["epoch"] + 1),
            patience=patience,
            report=lines.append,
            seed=1,
            perplexity=lambda: given["row"][1],
        )
        validation.history = list(begun)
        validation.set_params({"epochs": len(begun) + len(rows)})
        validation.set_model(type("Model", (), {"stop_training": False})())
        for epoch, row in enumerate(rows, start=len(begun)):
            given.update(row=row, epoch=epoch)
            validation.on_epoch_begin(epoch)
            validation.on_epoch_end(epoch, {"loss": 1.0})
            if validation.model.stop_training:
                break
        return best, lines, len(validation.history)

    return run


def test_of_equal_scores_the_least_perplexity_is_the_best(train):
    best, _, _ = train([(0.0, 9.0), (0.0, 7.0), (0.0, 8.0), (0.1, 12.0), (0.1, 12.0)])
    assert best == [1, 2, 4]


def test_patience_counts_from_the_best(train):
    _, _, epochs = train([(0.0, 9.0), (0.0, 8.0), (0.0, 8.5), (0.0, 9.0), (0.0, 1.0)], patience=2)
    assert epochs == 4


def test_a_run_of_an_earlier_version_goes_on(train, tmp_path):
    begun = [{"epoch": 1, "loss": 2.0, "BLEU-4": 0.0, "CIDEr": 0.2, "CIDEr-D": 0.2}]
    begun[0] |= {"train_seconds": 1.0, "validation_seconds": 1.0}
    best, _, _ = train([(0.1, 9.0), (0.2, 9.0)], begun=begun)
    assert best == [3]  # of equal ones, that whose perplexity is known
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["perplexity"] for row in rows] == ["", "9.0", "9.0"]
    assert [row["CIDEr-D"] for row in rows] == ["0.2", "", ""]


def test_a_model_that_says_one_thing_is_warned_of_at_the_end(train):
    captions = {f"{n}.jpg": "a dog" for n in range(5)}
    _, lines, _ = train([(0.0, 9.0), (0.0, 8.0)], captions=captions)
    (warning,) = [line for line in lines if line.startswith("warning")]
    assert lines[-1] == warning and "`captioner teach`" in warning
    assert 'all 5 val images get the same caption, "a dog"' in warning
