import keras
import numpy as np

from captioner.datasets.dataset import Example
from captioner.engines.keras import JIT_COMPILE
from captioner.models.build import build_decoder
from captioner.text.vocabulary import Vocabulary
from captioner.training.caption_model import CaptionModel, NextWordLoss
from captioner.training.self_critical import (
    CaptionReward,
    CaptionSampler,
    SelfCriticalBatches,
    fit_on_policy,
)

COLOURS = ("red", "green", "blue")
VOCABULARY = Vocabulary({"a": 9, "wall": 8, **dict.fromkeys(COLOURS, 3)})
EXAMPLES = [
    Example(str(n), f"{n}.jpg", ("",), (("a", COLOURS[n % 3], "wall"),), "train") for n in range(12)
]
SAMPLES = 4


class RememberingSampler(CaptionSampler):
    """Remembers what it was asked for, and what it drew."""

    def sample(self, features, seed, frame_mask=None):
        drawn = super().sample(features, seed, frame_mask)
        self.remembered.append((features, seed, drawn))
        return drawn


class RememberWeights(keras.callbacks.Callback):
    """Remembers the weights before each step."""

    def on_train_begin(self, logs=None):
        self.weights = []

    def on_train_batch_begin(self, batch, logs=None):
        self.weights.append(self.model.decoder.get_weights())


def read(examples, rng):
    features = np.zeros((len(examples), 1, 1, 3), np.float32)
    for row, example in enumerate(examples):
        features[row, 0, 0, int(example.id) % 3] = 5
    return {"features": features}


def make(sampler_class=CaptionSampler):
    keras.utils.set_random_seed(1)
    size = {"vocabulary_size": len(VOCABULARY), "units": 16, "embedding_size": 16, "dropout": 0.0}
    decoder = build_decoder("show_and_tell", channels=3, **size)
    sampler = sampler_class(decoder, VOCABULARY, samples=SAMPLES, max_length=4)
    batches = SelfCriticalBatches(
        EXAMPLES, VOCABULARY, read, sampler, CaptionReward(EXAMPLES), batch_size=3, seed=1
    )
    model = CaptionModel(None, decoder)
    optimizer = keras.optimizers.Adam(0.02)
    model.compile(
        optimizer,
        NextWordLoss(reduction="mean", suppressed_ids=VOCABULARY.unspoken_ids),
        jit_compile=JIT_COMPILE,
    )
    optimizer.build(model.trainable_variables)
    return batches, sampler, model


def test_weights_are_rewards_less_the_mean_of_the_others():
    batches, _, _ = make()
    reward = CaptionReward(EXAMPLES)
    inputs, targets, weights = batches[0]
    assert inputs["token_ids"].shape == targets.shape == weights.shape == (3, SAMPLES, 5)
    assert (inputs["token_ids"][:, :, 0] == VOCABULARY.start_id).all()
    np.testing.assert_array_equal(inputs["token_ids"][:, :, 1:], targets[:, :, :-1])
    words = (targets != VOCABULARY.pad_id).sum()
    for row, sentences in enumerate(targets):
        example = EXAMPLES[batches.order[row]]
        earned = [
            reward.score([example.id], [VOCABULARY.decode(ids)], [VOCABULARY.end_id in ids]).item()
            for ids in sentences
        ]
        for number, ids in enumerate(sentences):
            others = np.mean(earned[:number] + earned[number + 1 :])
            expected = (earned[number] - others) * (ids != VOCABULARY.pad_id)
            np.testing.assert_allclose(
                weights[row, number] * words / targets.size, expected, atol=1e-6
            )


def test_training_raises_the_reward():
    batches, _, model = make()
    before = mean_reward(batches)
    fit_on_policy(model, batches, initial_epoch=0, epochs=25, callbacks=[])
    after = mean_reward(batches)
    assert after > 2 * before


def test_every_batch_is_drawn_with_the_weights_that_it_changes():
    batches, sampler, model = make(RememberingSampler)
    sampler.remembered = []
    follow = RememberWeights()
    fit_on_policy(model, batches, initial_epoch=0, epochs=3, callbacks=[follow])
    remembered = sampler.remembered
    assert len(remembered) == 12

    def draw_again(step, weights):
        features, seed, drawn = remembered[step]
        model.decoder.set_weights(weights)
        return (CaptionSampler.sample(sampler, features, seed) == drawn).all()

    assert all(draw_again(step, follow.weights[step]) for step in range(12))
    assert not all(draw_again(step + 1, follow.weights[step]) for step in range(11))


def mean_reward(batches):
    sampler, reward = batches._sampler, CaptionReward(EXAMPLES)
    drawn = sampler.sample(read(EXAMPLES, None)["features"], seed=9)
    return np.mean(
        [
            reward.score(
                [example.id] * SAMPLES,
                [VOCABULARY.decode(ids) for ids in sentences],
                [VOCABULARY.end_id in ids for ids in sentences],
            )
            for example, sentences in zip(EXAMPLES, drawn, strict=True)
        ]
    )
