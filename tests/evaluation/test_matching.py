import random

import pytest

from captioner.errors import CaptionerError
from captioner.evaluation.evaluation import evaluate_captions
from captioner.evaluation.matching import match_ids


@pytest.mark.parametrize(
    "written",
    ["a/dog.jpg", "./a/dog.jpg", "dog.jpg", "dog", "/home/me/a/dog.jpg", "a\\dog.JPG", "../a/dog"],
)
def test_folder_and_suffix_may_be_there_or_not(written):
    assert match_ids([written], ["a/dog.jpg", "a/cat.jpg"]) == {written: "a/dog.jpg"}
    assert match_ids(["a/dog.jpg"], [written]) == {"a/dog.jpg": written}


@pytest.mark.parametrize(
    ("image", "known"),
    [
        ("dog.jpg", ["dog.png"]),  # another file
        ("a/dog.jpg", ["b/dog.jpg"]),
        ("dog", ["a/dog.jpg", "b/dog.jpg"]),  # either
        ("dog", ["dog.jpg", "dog.png"]),
        ("1.5", ["1"]),  # no suffix
        ("dogs.jpg", ["dog.jpg"]),
    ],
)
def test_another_image_or_one_of_several_is_not_taken(image, known):
    assert match_ids([image], known) == {}


def test_two_ids_are_not_one_image():
    assert match_ids(["x/dog.jpg", "y/dog.jpg"], ["dog.jpg"]) == {}
    assert match_ids(["dog.jpg", "y/dog.jpg"], ["dog.jpg"]) == {"dog.jpg": "dog.jpg"}


def test_one_of_several_in_other_folders():
    known = ["a/1.jpg", "b/1.jpg"]
    assert match_ids(["photos/b/1.jpg", "photos/a/1"], known) == {
        "photos/b/1.jpg": "b/1.jpg",
        "photos/a/1": "a/1.jpg",
    }


def test_order_changes_nothing():
    ids = ["x/1.jpg", "2", "y/3.png", "4.jpg", "z/4.jpg", "5"]
    known = ["1.jpg", "2.jpg", "3", "4", "y/5.jpg", "x/5.jpg"]
    expected = match_ids(ids, known)
    assert expected == {"x/1.jpg": "1.jpg", "2": "2.jpg", "y/3.png": "3"}
    rng = random.Random(1)
    for _ in range(20):
        rng.shuffle(ids)
        rng.shuffle(known)
        assert match_ids(ids, known) == expected


def test_scores_are_those_of_equal_ids():
    references = {"dog": ["a dog runs", "one dog"], "cat": ["a cat"], "cow": ["two cows"]}
    captions = {"dog": "a dog", "cat": "a cat sleeps", "cow": "a cow"}
    same = evaluate_captions(captions, references, resamples=20)
    renamed = {f"photos/{image}.jpg": caption for image, caption in reversed(captions.items())}
    other = evaluate_captions(renamed, references, resamples=20)
    assert other.captions == same.captions
    assert {n: m.score for n, m in other.metrics.items()} == {
        n: m.score for n, m in same.metrics.items()
    }


def test_the_errors_show_an_example_of_both_sides():
    with pytest.raises(CaptionerError, match=r"1 image \(x/8\.jpg\).*images such as 7\.jpg"):
        evaluate_captions({"x/8.jpg": "a dog"}, {"7.jpg": ["a dog"]})
    with pytest.raises(CaptionerError, match=r"for 1 image \(8\.jpg\).*such as x/7\.jpg"):
        evaluate_captions({"x/7.jpg": "a dog"}, {"7.jpg": ["a dog"], "8.jpg": ["a cat"]})


def test_notes_say_when_cider_tells_little():
    def notes(references):
        captions = dict.fromkeys(references, "a dog")
        return " ".join(evaluate_captions(captions, references, resamples=10).notes)

    one = notes({"1": ["a dog runs"]})
    assert "CIDEr needs several images" in one and "one reference" in one
    assert evaluate_captions({"1": "a dog"}, {"1": ["a dog"]}).metrics["CIDEr"].score == 0
    several = notes({"1": ["a dog", "one dog"], "2": ["a cat", "one cat"]})
    assert "needs several" not in several and "one reference" not in several
