import pytest

from captioner.evaluation.diversity import measure_variety


def test_hand_counted_variety():
    variety = measure_variety(["a dog runs", "a dog", "a dog", "cat"], ["a dog", "the cat"])
    # 8 words, of them a, dog, runs, cat; 4 pairs, of them "a dog" and "dog runs".
    assert variety.distinct_1 == 4 / 8
    assert variety.distinct_2 == 2 / 4
    assert variety.vocabulary == 4
    assert variety.distinct_captions == 3 / 4
    assert variety.novel == 2 / 4
    assert variety.mean_length == 2
    assert variety.deviation_of_length == pytest.approx((2 / 4) ** 0.5)
    assert (variety.shortest, variety.longest) == (1, 3)


def test_bad_endings_and_repetitions():
    captions = ["a man with a", "a man and a man", "a dog looks up", "", "a dog in the"]
    variety = measure_variety(captions)
    assert variety.dangling == 2 / 5
    assert variety.repetitive == 1 / 5


def test_without_training_captions_nothing_is_said_of_novelty():
    assert measure_variety(["a dog"]).novel is None


def test_single_words_have_no_pairs():
    assert measure_variety(["dog", ""]).distinct_2 == 0
