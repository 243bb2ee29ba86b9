import numpy as np
import pytest

from captioner.datasets.dataset import Example
from captioner.text.vocabulary import Vocabulary
from captioner.training.batches import CaptionBatches

WORDS = ("a", "dog", "runs", "on", "grass")
VOCABULARY = Vocabulary({word: 10 - n for n, word in enumerate(WORDS)})
EXAMPLES = [
    Example(f"{n}.jpg", f"{n}.jpg", ("", "", ""), (WORDS[:2], WORDS, WORDS[: n % 4 + 1]), "train")
    for n in range(7)
]


def read(examples, rng):
    return {"features": np.array([[[[float(e.id[0])]]] for e in examples])}


def make(**options):
    defaults = {"batch_size": 3, "captions_per_image": 3, "max_length": 6, "seed": 1}
    return CaptionBatches(EXAMPLES, VOCABULARY, read, **{**defaults, **options})


def test_inputs_begin_with_start_and_targets_follow_them():
    inputs, targets, weights = make()[0]
    assert inputs["token_ids"].shape == targets.shape == weights.shape == (3, 3, 6)
    assert (inputs["token_ids"][:, :, 0] == VOCABULARY.start_id).all()
    for ids, following, weight in zip(
        inputs["token_ids"].reshape(9, 6),
        targets.reshape(9, 6),
        weights.reshape(9, 6),
        strict=True,
    ):
        length = int(weight.sum())
        assert following[length - 1] == VOCABULARY.end_id
        np.testing.assert_array_equal(ids[1:length], following[: length - 1])
        assert (following[length:] == VOCABULARY.pad_id).all()


def test_captions_of_distilled_images_have_no_weight():
    def read_some(examples, rng):
        return {**read(examples, rng), "distilled": np.array([e.id[0] < "3" for e in examples])}

    batches = CaptionBatches(
        EXAMPLES, VOCABULARY, read_some, batch_size=7, captions_per_image=3, max_length=6, seed=1
    )
    inputs, targets, weights = batches[0]
    assert inputs["distilled"].sum() == 3
    assert not weights[inputs["distilled"]].any()
    others = ~inputs["distilled"]
    np.testing.assert_array_equal(weights[others], targets[others] != VOCABULARY.pad_id)


def test_pictures_stay_with_their_captions():
    inputs, targets, _ = make()[1]
    for feature, sentences in zip(inputs["features"].ravel(), targets, strict=True):
        example = EXAMPLES[int(feature)]
        assert {tuple(VOCABULARY.decode(ids)) for ids in sentences} == set(example.tokens)


def test_every_picture_comes_once_an_epoch_in_a_new_order():
    batches = make(batch_size=1)
    orders = []
    for _ in range(2):
        orders.append([batches[i][0]["features"].item() for i in range(len(batches))])
        batches.on_epoch_end()
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(7))
    assert orders[0] != orders[1]


def test_an_epoch_can_be_gone_back_to():
    first, second = make(), make()
    first.on_epoch_end()
    second.set_epoch(1)
    for index in range(len(first)):
        for mine, yours in zip(first[index][1:], second[index][1:], strict=True):
            np.testing.assert_array_equal(mine, yours)


def test_long_captions_lose_their_end_and_no_end_is_invented():
    _, targets, _ = make(max_length=3, captions_per_image=3, batch_size=7)[0]
    long = [ids for ids in targets.reshape(-1, 3) if VOCABULARY.end_id not in ids]
    assert len(long) >= 7
    assert all(len(VOCABULARY.decode(ids)) == 3 for ids in long)


@pytest.mark.parametrize("captions", [1, 2, 5])
def test_fewer_or_more_captions_than_there_are(captions):
    _, targets, weights = make(captions_per_image=captions)[0]
    assert targets.shape[1] == captions
    counted = (weights.sum(2) > 0).sum(1)
    assert (counted == min(captions, 3)).all()
