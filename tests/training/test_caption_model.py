import keras
import numpy as np
import pytest

from captioner.models.build import build_decoder
from captioner.training.caption_model import CaptionModel, Teachers


@pytest.fixture(scope="module")
def decoder():
    keras.utils.set_random_seed(3)
    return build_decoder(
        "show_and_tell", 8, vocabulary_size=200, units=16, embedding_size=16, dropout=0.0
    )


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    token_ids = rng.integers(4, 200, (64, 5, 9)).astype("int32")
    token_ids[:, :, 0], token_ids[:, :, 7:] = 1, 0  # <start> and padding
    features = rng.exponential(1.0, (64, 1, 49, 8)).astype("float32")
    return {"features": features, "token_ids": token_ids}


def test_the_loss_of_distillation_is_the_cross_entropy_against_the_mean_of_the_teachers(
    decoder, inputs
):
    keras.utils.set_random_seed(4)
    options = {"vocabulary_size": 200, "units": 16, "embedding_size": 16}
    teachers = [build_decoder(name, 8, **options) for name in ("lrcn", "top_down")]
    model = CaptionModel(None, decoder, teachers=Teachers(teachers), distillation=0.3)
    logits = np.asarray(model(inputs, training=True), np.float64)
    (loss,) = model.losses

    def probabilities(scores):
        raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return raised / raised.sum(axis=-1, keepdims=True)

    told = np.mean(
        [
            probabilities(np.asarray(teacher(inputs["features"], inputs["token_ids"]), np.float64))
            for teacher in teachers
        ],
        axis=0,
    )
    terms = -(told * np.log(probabilities(logits))).sum(axis=-1)
    assert float(loss) == pytest.approx(0.3 * terms[:, :, :7].mean(), rel=1e-4)  # 7, 8: padding


def test_where_some_images_are_distilled_the_loss_is_that_of_these_alone(decoder, inputs):
    teacher = build_decoder("lrcn", 8, vocabulary_size=200, units=16, embedding_size=16)
    model = CaptionModel(None, decoder, teachers=Teachers([teacher]), distillation=0.3)
    rows = np.arange(64) % 3 == 0
    model({**inputs, "distilled": rows}, training=True)
    (loss,) = model.losses
    model({name: array[rows] for name, array in inputs.items()}, training=True)
    (expected,) = model.losses
    assert float(loss) == pytest.approx(float(expected), rel=1e-4)
    model({**inputs, "distilled": np.zeros(64, bool)}, training=True)
    assert float(model.losses[0]) == 0


def test_teachers_are_asked_in_training_alone_and_never_trained(decoder, inputs):
    teacher = build_decoder("lrcn", 8, vocabulary_size=200, units=16, embedding_size=16)
    model = CaptionModel(None, decoder, teachers=Teachers([teacher]), distillation=0.3)
    model(inputs)
    assert not model.losses
    assert {id(v) for v in model.trainable_variables} == {
        id(v) for v in decoder.trainable_variables
    }
