import keras
import numpy as np
import pytest

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.mixture import DataConfig, Mixture, Part
from captioner.training.presence import (
    PresenceBatches,
    PresenceLoss,
    PresenceNoise,
    PresenceTargets,
    choose_words,
    mean_average_precision,
)


def example(name, *captions, split="train"):
    tokens = tuple(tuple(caption.split()) for caption in captions)
    return Example(name, f"/{name}", captions, tokens, split)


@pytest.fixture
def mixture():
    captions = (
        example("a", "two dogs run", "a dog"),
        example("b", "a cat", "the cat sits"),
        example("v", "a walrus", split="val"),
    )
    phrases = (example("r", "near a mirror", "a cat"),)
    return Mixture(
        [
            Part(DataConfig("", name="one", weight=3), Dataset("one", captions)),
            Part(DataConfig("", name="two", captions=False), Dataset("two", phrases)),
        ]
    )


def test_words_are_those_that_the_most_images_mention(mixture):
    assert choose_words(mixture, 9) == ["cat", "dog", "run", "sit"]
    assert choose_words(mixture, 1) == ["cat"]


def test_captions_say_what_is_absent_and_phrases_do_not(mixture):
    targets = PresenceTargets(["cat", "dog", "run"], mixture)
    a, _, _, room = mixture.dataset.examples
    assert targets.of(a).tolist() == [0, 1, 0.5]
    assert targets.of(room).tolist() == [1, -1, -1]


def test_loss_is_that_of_keras_over_the_known_words():
    rng = np.random.default_rng(0)
    targets = rng.random((4, 6)).astype("float32")
    logits = rng.normal(0, 3, (4, 6)).astype("float32")
    keras_loss = keras.losses.binary_crossentropy(targets, logits, from_logits=True)
    expected = 6 * np.asarray(keras_loss).mean()
    assert float(PresenceLoss()(targets, logits)) == pytest.approx(expected, rel=1e-5)
    half = targets.copy()
    half[:, 3:] = -1
    known = float(PresenceLoss()(targets[:, :3], logits[:, :3]))
    assert float(PresenceLoss()(half, logits)) == pytest.approx(known, rel=1e-5)


def test_mean_average_precision_is_that_of_its_definition():
    rng = np.random.default_rng(1)
    targets, scores = rng.random((40, 7)) < 0.2, rng.random((40, 7))
    expected = []
    for word in range(7):
        order = sorted(range(40), key=lambda n: -scores[n, word])
        hits = [rank for rank, n in enumerate(order, 1) if targets[n, word]]
        expected.append(np.mean([(k + 1) / rank for k, rank in enumerate(hits)]))
    assert mean_average_precision(targets, scores) == pytest.approx(np.mean(expected))
    assert mean_average_precision(targets, targets * 1.0) == 1
    with pytest.raises(ValueError, match="no image"):
        mean_average_precision(np.zeros((2, 2)), scores[:2, :2])


def test_batches_see_every_example_and_are_the_same_again(mixture):
    examples = mixture.split("train", captions_only=False)
    targets = PresenceTargets(["cat", "dog"], mixture)

    def batches(epoch):
        made = PresenceBatches(
            examples,
            lambda batch, rng: {"ids": np.array([e.id for e in batch])},
            targets,
            batch_size=1,
            seed=3,
            draw_epoch=lambda rng: rng.permutation(3),
        )
        made.set_epoch(epoch)
        return [(made[n][0]["ids"][0], *made[n][1][0].tolist()) for n in range(len(made))]

    assert sorted(batches(0)) == [("one/a", 0, 1), ("one/b", 1, 0), ("two/r", 1, -1)]
    assert batches(5) == batches(5)
    assert len({tuple(batches(epoch)) for epoch in range(9)}) > 1


def test_noise_has_the_distributions_that_were_measured():
    rng = np.random.default_rng(2)
    targets = (rng.random((5000, 3)) < [0.5, 0.1, 0.0]).astype("float32")
    centre = np.where(targets > 0, [0.9, 0.6, 0.0], [0.1, 0.3, 0.05])
    probabilities = np.clip(rng.normal(centre, 0.02), 0, 1)
    noise = PresenceNoise.fit(targets, probabilities)
    drawn = np.stack([noise.draw(np.array([1.0, 0.2, 0.0]), rng) for _ in range(2000)])
    np.testing.assert_allclose(drawn.mean(0), [0.9, 0.6, 0.05], atol=0.01)
    np.testing.assert_allclose(drawn.std(0), 0.02, atol=0.006)
    absent = np.stack([noise.draw(np.zeros(3), rng) for _ in range(2000)])
    np.testing.assert_allclose(absent.mean(0), [0.1, 0.3, 0.05], atol=0.01)
    # The third word is never present: how it would be spoken of is learnt from the others.
    third = np.stack([noise.draw(np.ones(3), rng) for _ in range(2000)])[:, 2]
    pooled = probabilities[targets > 0]
    assert third.mean() == pytest.approx(pooled.mean(), abs=0.02)
