import random

import numpy as np
import pytest
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.cider.cider_scorer import CiderScorer

from captioner.errors import CaptionerError
from captioner.evaluation.cider import CiderD, DocumentFrequencies
from captioner.evaluation.ngrams import ReferenceNgrams

REFERENCES = {
    "1": ["a red dog runs", "the dog runs fast", "a dog"],
    "2": ["a cat sleeps on a bed"],
    "3": ["two men stand", "men standing outside in the snow"],
}


def test_many_captions_an_image_equal_one_at_a_time():
    rng = random.Random(2)
    words = ["a", "the", "red", "dog", "cat", "runs", "sleeps", "men", "snow", "unheard"]
    images = rng.choices(list(REFERENCES), k=60)
    captions = [" ".join(rng.choices(words, k=rng.randint(1, 8))) for _ in images]
    rewards = CiderD(REFERENCES).score(images, captions)
    for image, text, reward in zip(images, captions, rewards, strict=True):
        others = {other: ["x"] for other in REFERENCES}
        _, peer = Cider().compute_score(REFERENCES, others | {image: [text]})
        assert reward == pytest.approx(peer[list(REFERENCES).index(image)], abs=1e-9)


def test_foreign_frequencies_equal_the_peer_with_the_same_frequencies():
    training = {"t1": ["a dog runs", "a red dog"], "t2": ["the cat"], "t3": ["a dog"], "t4": ["a"]}
    frequencies = DocumentFrequencies.count(ReferenceNgrams(list(training.values())))
    images, captions = ["1", "2", "3"], ["a red dog", "the cat sleeps on a bed", "zebra"]
    ours = CiderD(REFERENCES, frequencies).score(images, captions)

    counter = CiderScorer()
    for texts in training.values():
        counter += (texts[0], texts)
    counter.compute_doc_freq()
    peer = CiderScorer()
    for image, text in zip(images, captions, strict=True):
        peer += (text, REFERENCES[image])
    peer.document_frequency = counter.document_frequency
    # The peer takes the number of documents from what it scores; make it that of the training set.
    full = peer.crefs
    peer.crefs = full + [full[0]] * (len(training) - len(full))
    peer.ctest += [peer.ctest[0]] * (len(training) - len(full))
    np.testing.assert_allclose(ours, peer.compute_cider()[:3], atol=1e-9)


def test_bad_input_is_named():
    with pytest.raises(CaptionerError, match="'9'"):
        CiderD(REFERENCES).score(["9"], ["a dog"])
    with pytest.raises(CaptionerError, match="no references for 2"):
        CiderD({"1": ["a"], "2": []})
