import keras
import numpy as np

from captioner.training.caption_model import NextWordLoss

rng = np.random.default_rng(0)
LOGITS = rng.normal(0, 2, (2, 3, 4, 9)).astype("float32")
TARGETS = rng.integers(0, 9, (2, 3, 4))
WEIGHTS = rng.integers(0, 2, (2, 3, 4)).astype("float32")


def test_equals_keras_categorical_cross_entropy_with_one_hot_targets():
    for smoothing in (0.0, 0.1, 0.3):
        reference = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=smoothing, reduction="mean_with_sample_weight"
        )
        expected = reference(np.eye(9)[TARGETS], LOGITS, sample_weight=WEIGHTS)
        loss = NextWordLoss(smoothing)(TARGETS, LOGITS, sample_weight=WEIGHTS)
        np.testing.assert_allclose(float(loss), float(expected), rtol=1e-5)


def test_words_without_weight_do_not_count():
    changed = np.where(WEIGHTS[..., None] > 0, LOGITS, 50.0)
    losses = [NextWordLoss(0.1)(TARGETS, x, sample_weight=WEIGHTS) for x in (LOGITS, changed)]
    np.testing.assert_allclose(float(losses[0]), float(losses[1]), rtol=1e-6)


def test_suppressed_words_have_no_probability_and_no_gradient():
    rng = np.random.default_rng(3)
    logits, targets = rng.normal(size=(2, 3, 4, 6)).astype("float32"), np.full((2, 3, 4), 2)
    kept = np.delete(logits, [0, 4], axis=-1)
    loss = NextWordLoss(suppressed_ids=(0, 4))(targets, logits)
    np.testing.assert_allclose(loss, NextWordLoss()(targets - 1, kept), rtol=1e-5)
    raised = logits.copy()
    raised[..., [0, 4]] += 5
    assert float(NextWordLoss(suppressed_ids=(0, 4))(targets, raised)) == float(loss)
