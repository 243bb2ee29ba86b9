import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import corpus_bleu
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from captioner.errors import CaptionerError
from captioner.evaluation.scores import METRICS, measure_captions, score_captions

SYSTEMS = ["human", "shuffled", "constant", "babble"]

caption = st.lists(st.sampled_from("abcde"), min_size=1, max_size=9).map(" ".join)
corpus = st.lists(
    st.tuples(caption, st.lists(caption, min_size=1, max_size=3)), min_size=1, max_size=6
)


def coco(candidates, references):
    """Corpus and image scores of pycocoevalcap; METEOR apart."""
    hypotheses = {image: [text] for image, text in candidates.items()}
    bleu, bleu_images = Bleu(4).compute_score(references, hypotheses, verbose=0)
    scores = {f"BLEU-{n}": (bleu[n - 1], bleu_images[n - 1]) for n in range(1, 5)}
    scores["ROUGE-L"] = Rouge().compute_score(references, hypotheses)
    scores["CIDEr"] = Cider().compute_score(references, hypotheses)
    return scores


def assert_equals_coco(candidates, references):
    metrics = measure_captions(candidates, references)
    expected = coco(candidates, references)
    assert metrics.keys() == expected.keys()
    for name, (score, image_scores) in expected.items():
        assert metrics[name].score == pytest.approx(score, abs=1e-9, rel=1e-9), name
        np.testing.assert_allclose(metrics[name].image_scores, image_scores, atol=1e-9, rtol=1e-9)


@pytest.mark.data
@pytest.mark.parametrize("system", SYSTEMS)
def test_equals_pycocoevalcap_on_flickr8k(system, result_files, four_references):
    assert_equals_coco(result_files[system], four_references)


@given(corpus)
@settings(deadline=None)
def test_equals_pycocoevalcap_on_any_corpus(corpus):
    candidates = {str(number): text for number, (text, _) in enumerate(corpus)}
    assert_equals_coco(candidates, {str(n): texts for n, (_, texts) in enumerate(corpus)})


@pytest.mark.data
@pytest.mark.parametrize("system", SYSTEMS)
def test_equals_nltk_bleu(system, result_files, four_references):
    # nltk counts one 4-gram for captions of three words; the COCO scorer counts none.
    candidates = {i: c for i, c in result_files[system].items() if len(c.split()) >= 4}
    references = {image: four_references[image] for image in candidates}
    weights = [tuple([1 / n] * n) for n in range(1, 5)]
    expected = corpus_bleu(
        [[text.split() for text in texts] for texts in references.values()],
        [text.split() for text in candidates.values()],
        weights=weights,
    )
    scores = score_captions(candidates, references)
    assert [scores[f"BLEU-{n}"] for n in range(1, 5)] == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@pytest.mark.data
def test_meteor_equals_pycocoevalcap(meteor, result_files, four_references):
    from pycocoevalcap.meteor.meteor import Meteor as CocoMeteor

    peer = CocoMeteor()
    for system in SYSTEMS:
        images = list(four_references)[:60]
        captions = [result_files[system][image] for image in images]
        references = [four_references[image] for image in images]
        # METEOR counts no chunk for a caption that is a reference, nor for one that matches a
        # reference as a whole by synonyms and paraphrases, be it longer.
        captions[0] = references[0][0]
        captions[1] = "a little boy doing a handstand on the beach"
        references[1] = ["a child doing a handstand on the beach", "a dog on the sand"]
        captions[2] = "three dogs playing in the snow"
        references[2] = ["three dogs meet in the snow", "a dog"]
        score, image_scores = peer.compute_score(
            dict(zip(images, references, strict=True)),
            {image: [text] for image, text in zip(images, captions, strict=True)},
        )
        statistics = meteor.statistics(captions, references)
        assert meteor.scores(statistics) == pytest.approx(image_scores, abs=1e-9)
        total = statistics.sum(axis=0, keepdims=True)
        assert meteor.scores(total)[0] == pytest.approx(score, abs=1e-9)
    for stream in (peer.meteor_p.stdout, peer.meteor_p.stderr):
        stream.close()  # which it leaves open when it ends its program


def test_hand_computed_scores():
    # Against "the cat sat on the mat", the words "the" (twice of three), "cat", "sat" match.
    scores = score_captions({"1": "the the the cat sat"}, {"1": ["the cat sat on the mat"]})
    brevity = math.exp(1 - 6 / 5)
    assert scores["BLEU-1"] == pytest.approx(4 / 5 * brevity)
    assert scores["BLEU-2"] == pytest.approx(math.sqrt(4 / 5 * 2 / 4) * brevity)
    # Longest common subsequence "the cat sat": precision 3/5, recall 3/6, beta 1.2.
    assert scores["ROUGE-L"] == pytest.approx(2.44 * 0.6 * 0.5 / (0.5 + 1.44 * 0.6))
    assert scores["CIDEr"] == 0  # one image alone has no idf


def test_hand_computed_cider():
    references = {"1": ["red dog"], "2": ["blue cat"]}
    # Same words, same length: cosine 1 for unigrams and bigrams, none for 3-grams and 4-grams.
    scores = score_captions({"1": "red dog", "2": "blue dog"}, references)
    # "blue dog": unigrams share "blue" of two equal weights, cosine 1/2; the bigram is new.
    assert scores["CIDEr"] == pytest.approx((10 * 2 / 4 + 10 * 0.5 / 4) / 2)


@pytest.mark.parametrize(
    ("lengths", "closest"), [([4, 6], 4), ([6, 4], 4), ([7, 4, 6], 4), ([9, 6], 6), ([1, 9], 1)]
)
def test_brevity_takes_the_shorter_of_two_equally_close_references(lengths, closest):
    references = {"1": [" ".join(["a"] * length) for length in lengths]}
    scores = score_captions({"1": "a a a a a"}, references)
    matched = min(max(lengths), 5) / 5
    assert scores["BLEU-1"] == pytest.approx(matched * min(1, math.exp(1 - closest / 5)))


@given(st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=4, max_size=9, unique=True))
@settings(deadline=None)
def test_a_perfect_candidate_scores_1(words):
    text = " ".join(words)
    other = {"0": "quite another picture here", "1": text}
    scores = score_captions(other, {"0": ["quite another picture here"], "1": [text, "x y"]})
    for name in ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L"):
        assert scores[name] == pytest.approx(1, abs=1e-8)


def test_a_perfect_candidate_has_cider_10():
    texts = {"1": "a red dog runs here", "2": "two blue cats sleep there"}
    scores = score_captions(texts, {image: [text] for image, text in texts.items()})
    assert scores["CIDEr"] == pytest.approx(10)


@given(corpus, st.randoms())
@settings(deadline=None)
def test_order_of_images_does_not_matter(corpus, random):
    images = [str(number) for number in range(len(corpus))]
    shuffled = random.sample(images, len(images))
    candidates = {image: corpus[int(image)][0] for image in images}
    references = {image: corpus[int(image)][1] for image in images}
    again = score_captions(
        {image: candidates[image] for image in shuffled},
        {image: references[image] for image in reversed(shuffled)},
    )
    assert again == pytest.approx(score_captions(candidates, references), rel=1e-12)


def test_tokenization_is_a_choice():
    candidates, references = {"1": "A man's hat."}, {"1": ["a man 's hat"]}
    assert score_captions(candidates, references)["BLEU-1"] < 0.3
    assert score_captions(candidates, references, tokenization="ptb")["BLEU-1"] > 0.999
    with pytest.raises(CaptionerError, match='tokenization "latin"'):
        score_captions(candidates, references, tokenization="latin")


def test_meteor_is_given_where_it_is_asked_for(meteor):
    scores = score_captions({"1": "a dog runs"}, {"1": ["a dog runs"]}, meteor=meteor)
    assert list(scores) == list(METRICS)
    assert scores["METEOR"] == pytest.approx(1)


def test_images_must_be_the_same():
    with pytest.raises(CaptionerError, match="same images"):
        score_captions({"1": "a dog"}, {"2": ["a dog"]})
    with pytest.raises(CaptionerError, match="same images"):
        score_captions({}, {})


def test_a_caption_without_words_scores_0():
    scores = score_captions({"1": "", "2": "a b c d"}, {"1": ["a dog"], "2": ["a b c d"]})
    assert scores["ROUGE-L"] == pytest.approx(0.5)
    assert scores["CIDEr"] == pytest.approx(5)
