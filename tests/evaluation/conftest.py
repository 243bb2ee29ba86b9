import json
import random
from itertools import pairwise

import pytest

from captioner.evaluation.meteor import Meteor


@pytest.fixture(scope="session")
def meteor() -> Meteor:
    """The METEOR program, started once."""
    if not Meteor.is_available():
        pytest.skip("Java is not installed")
    return Meteor()


@pytest.fixture(scope="session")
def flickr8k_test_captions(flickr8k) -> dict[str, list[str]]:
    """Five tokenized captions for each of the 1,000 test pictures."""
    images = json.loads((flickr8k / "dataset_flickr8k.json").read_text())["images"]
    return {
        image["filename"]: [" ".join(sentence["tokens"]) for sentence in image["sentences"]]
        for image in images
        if image["split"] == "test"
    }


@pytest.fixture(scope="session")
def result_files(flickr8k_test_captions) -> dict[str, dict[str, str]]:
    """Captions of four kinds of systems for the test pictures; the fifth caption is held out."""
    rng = random.Random(1)
    human = {image: captions[4] for image, captions in flickr8k_test_captions.items()}
    shuffled = list(human.values())
    rng.shuffle(shuffled)
    followers: dict[str, list[str]] = {}
    for captions in flickr8k_test_captions.values():
        for caption in captions[:4]:
            words = ["<", *caption.split(), ">"]
            for word, following in pairwise(words):
                followers.setdefault(word, []).append(following)

    def babble() -> str:
        words = [rng.choice(followers["<"])]
        while words[-1] != ">" and len(words) < 25:
            words.append(rng.choice(followers[words[-1]]))
        return " ".join(words[:-1]) or "a"

    return {
        "human": human,
        "shuffled": dict(zip(human, shuffled, strict=True)),
        "constant": dict.fromkeys(human, "a man in a red shirt is standing on the street"),
        "babble": {image: babble() for image in human},
    }


@pytest.fixture(scope="session")
def four_references(flickr8k_test_captions) -> dict[str, list[str]]:
    return {image: captions[:4] for image, captions in flickr8k_test_captions.items()}
