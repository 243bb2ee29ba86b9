import numpy as np
import pytest
from pycocoevalcap.bleu.bleu_scorer import BleuScorer
from pycocoevalcap.cider.cider_scorer import CiderScorer

from captioner.datasets.dataset import Example
from captioner.training.self_critical import CaptionReward

CAPTIONS = {
    "1": ("a dog runs on the grass", "the brown dog is running", "a dog with a stick"),
    "2": ("two men ride bikes", "men on bikes in the mud", "a bike race"),
    "3": ("a girl in a red dress", "a child with a balloon", "the girl laughs"),
}
EXAMPLES = [
    Example(name, f"{name}.jpg", lines, tuple(tuple(x.split()) for x in lines), "train")
    for name, lines in CAPTIONS.items()
]
SAMPLES = [
    ("2", "two men ride bikes in the mud", True),
    ("1", "a dog with a", False),
    ("1", "a dog with a", True),
    ("3", "the girl laughs", True),
    ("2", "a dog runs on the grass", True),
]


@pytest.mark.parametrize("bleu_weight", [0.0, 0.7])
def test_rewards_are_those_of_pycocoevalcap(bleu_weight):
    image_ids, captions, ended = zip(*SAMPLES, strict=True)
    rewards = CaptionReward(EXAMPLES, bleu_weight).score(
        image_ids, [caption.split() for caption in captions], ended
    )
    for reward, (image_id, caption, end) in zip(rewards, SAMPLES, strict=True):
        sentence = caption + " <end>" * end
        cider, bleu = CiderScorer(n=4, sigma=6.0), BleuScorer(n=4)
        cider += (sentence, [line + " <end>" for line in CAPTIONS[image_id]])
        bleu += (sentence, [line + " <end>" for line in CAPTIONS[image_id]])
        for other in CAPTIONS:  # the document frequencies are those of all images, once each
            if other != image_id:
                cider += ("", [line + " <end>" for line in CAPTIONS[other]])
        closest = bleu.compute_score(option="closest", verbose=0)[1][3][0]
        expected = cider.compute_score()[1][0] + bleu_weight * closest
        np.testing.assert_allclose(reward, expected, atol=1e-9)


def test_breaking_off_costs():
    reward = CaptionReward(EXAMPLES)
    whole, broken = reward.score(
        ["1", "1"], [["a", "dog", "with", "a", "stick"], ["a", "dog", "with", "a"]], [True, True]
    )
    assert whole > 1.4 * broken
