from itertools import pairwise

import numpy as np
import pytest

from captioner.engines.engine import Engine
from captioner.search.beam import Hypothesis
from captioner.search.confidence import gender_shares, score_sentences
from captioner.search.search import search_captions
from captioner.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(dict.fromkeys(("a", "man", "woman", "dog", "boy"), 5))
WORDS = VOCABULARY.words


class TableEngine(Engine):
    """An engine whose next word depends on the picture and the word before alone."""

    def __init__(self, tables):
        self.tables = np.log(tables)  # (B, V, V)

    def begin(self, features, frame_mask):
        rows = features[:, 0, 0, 0].astype(int)  # which picture it is
        return rows, (np.zeros((len(rows), 1, 1)),)

    def predict(self, token_ids, state, memory):
        return self.tables[memory[:, np.newaxis], token_ids], state, None


@pytest.fixture
def engine():
    rng = np.random.default_rng(3)
    return TableEngine(rng.dirichlet(np.ones(len(VOCABULARY)), (3, len(VOCABULARY))))


def features_of(pictures):
    return np.array(pictures, np.float32).reshape(-1, 1, 1, 1), np.ones((len(pictures), 1), bool)


def by_hand(engine, picture, sentence):
    ids = [VOCABULARY.start_id, *VOCABULARY.encode(sentence.split()), VOCABULARY.end_id]
    return sum(engine.tables[picture, a, b] for a, b in pairwise(ids))


def test_scores_are_sums_over_the_words(engine):
    sentences = ["a man", "a dog a dog", ""]
    ids = [VOCABULARY.encode(sentence.split()) for sentence in sentences]
    found = score_sentences(engine, VOCABULARY, *features_of([2, 0, 1]), ids)
    expected = [by_hand(engine, *case) for case in zip((2, 0, 1), sentences, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_share_weighs_a_sentence_against_the_other_one(engine):
    sentences = [["a man a dog", "a dog"], ["a man a woman", "a woman"], ["a boy"]]
    found = [
        [
            Hypothesis(
                tuple(VOCABULARY.encode(sentence.split())), by_hand(engine, picture, sentence), 0.0
            )
            for sentence in own
        ]
        for picture, own in enumerate(sentences)
    ]
    shares = gender_shares(engine, VOCABULARY, *features_of([0, 1, 2]), found)
    one, other = (np.exp(by_hand(engine, 0, f"a {who} a dog")) for who in ("man", "woman"))
    woman, man = (np.exp(by_hand(engine, 1, f"a {who}")) for who in ("woman", "man"))
    assert shares[0] == [pytest.approx(one / (one + other)), 1.0]
    assert shares[1] == [1.0, pytest.approx(woman / (woman + man))]
    assert shares[2] == [0.0]  # "girl" is not in the vocabulary


def test_no_caption_has_a_word_that_is_never_said(tiny_preset):
    from captioner.captioner import Captioner

    captioner = Captioner.from_preset(tiny_preset, precision="float32")
    frames = np.random.default_rng(0).integers(0, 256, (6, 1, *captioner.image_size, 3), np.uint8)
    features = captioner.writer.engine.encode(frames)

    def said(never):
        found = search_captions(
            captioner.writer.engine,
            captioner.writer.vocabulary,
            features,
            never=never,
            beam_width=3,
            max_length=8,
            num_captions=3,
        )
        assert all(len(own) == 3 for own in found)
        return {
            w for own in found for h in own for w in captioner.writer.vocabulary.decode(h.token_ids)
        }

    never = []
    for _ in range(3):
        never.append(sorted(said(never))[0])  # another word each time
    assert len(set(never)) == 3
    assert said([*never, "unheard-of"]).isdisjoint(never)
