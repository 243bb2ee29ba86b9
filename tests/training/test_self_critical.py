import keras
import numpy as np

from captioner.datasets.caption_dataset import CaptionExample
from captioner.decoders.build import build_decoder
from captioner.text.vocabulary import Vocabulary
from captioner.training.caption_model import CaptionModel
from captioner.training.caption_sampler import CaptionSampler
from captioner.training.loss import NextWordLoss
from captioner.training.reward import CaptionReward
from captioner.training.self_critical import SelfCriticalBatches

COLOURS = ("red", "green", "blue")
VOCABULARY = Vocabulary({"a": 9, "wall": 8, **dict.fromkeys(COLOURS, 3)})
EXAMPLES = [
    CaptionExample(str(n), f"{n}.jpg", ("",), (("a", COLOURS[n % 3], "wall"),), "train")
    for n in range(12)
]
SAMPLES = 4


class RememberingSampler(CaptionSampler):
    """Remembers a weight with which each batch was drawn."""

    def sample(self, features, seed, frame_mask=None):
        self.drawn_with.append(weight_of(self._decoder))
        return super().sample(features, seed, frame_mask)


def weight_of(decoder):
    return float(decoder.word_logits.bias.numpy()[-1])


def read(examples, rng):
    features = np.zeros((len(examples), 1, 1, 3), np.float32)
    for row, example in enumerate(examples):
        features[row, 0, 0, int(example.image_id) % 3] = 5
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
        jit_compile=False,
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
            reward.score(
                [example.image_id], [VOCABULARY.decode(ids)], [VOCABULARY.end_id in ids]
            ).item()
            for ids in sentences
        ]
        for number, ids in enumerate(sentences):
            others = np.mean(earned[:number] + earned[number + 1 :])
            expected = (earned[number] - others) * (ids != VOCABULARY.pad_id)
            np.testing.assert_allclose(
                weights[row, number] * words / targets.size, expected, atol=1e-6
            )


def test_fit_raises_the_reward():
    batches, _, model = make()
    before = mean_reward(batches)
    model.fit(batches, epochs=25, shuffle=False, verbose=0, callbacks=[batches.lockstep])
    after = mean_reward(batches)
    assert after > 2 * before


def test_every_batch_is_drawn_with_the_weights_that_it_changes():
    batches, sampler, model = make(RememberingSampler)
    sampler.drawn_with = []
    stepped = []
    follow = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: stepped.append(weight_of(model.decoder)),
        on_train_batch_end=lambda batch, logs: stepped.append(weight_of(model.decoder)),
    )
    # In this order: a batch may be drawn as soon as the lockstep knows of the step before it.
    callbacks = [follow, batches.lockstep]
    model.fit(batches, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)
    assert len(set(stepped)) == 13
    before_each_step = [weight for n, weight in enumerate(stepped) if n % 5 < 4]
    # Keras draws some batches before the first epoch, to see their shapes.
    assert sampler.drawn_with[-12:] == before_each_step


def mean_reward(batches):
    sampler, reward = batches._sampler, CaptionReward(EXAMPLES)
    drawn = sampler.sample(read(EXAMPLES, None)["features"], seed=9)
    return np.mean(
        [
            reward.score(
                [example.image_id] * SAMPLES,
                [VOCABULARY.decode(ids) for ids in sentences],
                [VOCABULARY.end_id in ids for ids in sentences],
            )
            for example, sentences in zip(EXAMPLES, drawn, strict=True)
        ]
    )
