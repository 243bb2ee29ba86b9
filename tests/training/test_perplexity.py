from itertools import pairwise

import keras
import numpy as np
import pytest

from captioner.datasets.dataset import Example
from captioner.models.build import build_decoder
from captioner.models.clip_features import pad_clips
from captioner.text.vocabulary import Vocabulary
from captioner.training.perplexity import CaptionPerplexity

VOCABULARY = Vocabulary({"a": 5, "dog": 3, "cat": 2, "runs": 1})


@pytest.fixture(scope="module")
def decoder():
    keras.utils.set_random_seed(1)
    return build_decoder(
        name="top_down", units=8, embedding_size=8, channels=6, vocabulary_size=len(VOCABULARY)
    )


def make_examples(count):
    captions = ["a dog runs", "a zebra", "cat", "a dog a dog a dog"]
    return [
        Example(str(n), f"{n}.jpg", (text, "a cat"), (tuple(text.split()), ("a", "cat")))
        for n in range(count)
        for text in captions[n % 4 : n % 4 + 1]
    ]


@pytest.mark.slow
def test_it_is_the_inverse_of_the_mean_probability_of_a_word(decoder):
    rng = np.random.default_rng(0)
    examples = make_examples(23)
    clips = [rng.random((1 + n % 2, 4, 6)).astype(np.float32) for n in range(23)]
    measured = CaptionPerplexity(decoder, VOCABULARY, captions_per_image=2, max_length=5)
    found = measured.measure([(examples[:21], clips[:21]), (examples[21:], clips[21:])])
    assert measured.measure([(examples, clips)]) == pytest.approx(found, rel=1e-5)  # and no state

    log_probs = []
    for example, clip in zip(examples, clips, strict=True):  # one caption at a time, word by word
        features, mask = pad_clips([clip])
        for words in example.tokens:
            ids = [1, *VOCABULARY.encode(words), 2][:6]
            memory = decoder.encode(features, mask)
            state = decoder.initial_state(memory)
            for word, following in pairwise(ids):
                logits, state, _ = decoder.step(np.array([[word]]), state, memory)
                row = np.asarray(logits, np.float64).reshape(-1)
                log_probs.append(row[following] - np.log(np.exp(row).sum()))
    assert found == pytest.approx(np.exp(-np.mean(log_probs)), rel=1e-4)


def test_a_decoder_that_knows_nothing_has_as_many_choices_as_words(decoder):
    before = decoder.get_weights()
    decoder.set_weights([np.zeros_like(weight) for weight in before])
    measured = CaptionPerplexity(decoder, VOCABULARY, captions_per_image=1, max_length=5)
    clips = [np.ones((1, 4, 6), np.float32)] * 3
    assert measured.measure([(make_examples(3), clips)]) == pytest.approx(len(VOCABULARY), rel=1e-5)
    decoder.set_weights(before)
