import keras
import numpy as np
import pytest
from moving_squares import FRAMES, SIDE, moving_squares

from captioner.errors import CaptionerError
from captioner.models.activity import ActivityRecognizer, motion_features
from captioner.models.heads import build_head
from captioner.models.vgg16 import PerFrame, VGG16Encoder

layers = keras.layers


def small_network():
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
        ]
    )


@pytest.fixture(scope="module")
def squares():
    return moving_squares(1000, seed=0), moving_squares(400, seed=1)


def accuracy_on_squares(squares, name, epochs, **options):
    (frames, labels), (test_frames, test_labels) = squares
    keras.utils.set_random_seed(0)
    network = small_network()
    head = build_head(name, (1, 1, 32), classes=2, motion="none", dropout=0.0, **options)
    model = ActivityRecognizer(head, PerFrame(network))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(frames, labels, batch_size=50, epochs=epochs, verbose=0)
    return float(np.mean(model.predict(test_frames, verbose=0).argmax(-1) == test_labels))


@pytest.mark.slow
def test_lstm_learns_what_only_the_order_of_frames_tells(squares):
    assert accuracy_on_squares(squares, "lstm", epochs=8, units=32) >= 0.99


def test_averaging_is_at_chance_where_only_the_order_tells(squares):
    assert accuracy_on_squares(squares, "averaging", epochs=2) == pytest.approx(0.5, abs=0.08)


def test_conv_lstm_learns_it_from_the_pictures(squares):
    (frames, labels), (test_frames, test_labels) = squares
    keras.utils.set_random_seed(0)
    pooled = frames[:400].reshape(-1, FRAMES, 8, 2, 8, 2, 1).mean((3, 5))
    test_pooled = test_frames.reshape(-1, FRAMES, 8, 2, 8, 2, 1).mean((3, 5))
    head = build_head("conv_lstm", (8, 8, 2), classes=2, motion="none", dropout=0.0, filters=8)
    # Two channels: of one alone, normalisation would leave nothing.
    as_features = np.concatenate([pooled, 1 - pooled], -1)
    model = ActivityRecognizer(head)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    model.fit(as_features, labels[:400], batch_size=25, epochs=4, verbose=0)
    found = model.predict(np.concatenate([test_pooled, 1 - test_pooled], -1), verbose=0)
    assert np.mean(found.argmax(-1) == test_labels) >= 0.99


def test_three_ways_to_apply_a_network_to_each_frame_are_the_same(squares):
    network = small_network()
    head = build_head("lstm", (1, 1, 32), classes=2, units=8)
    frames = squares[1][0][:3]
    wrapped = [layers.TimeDistributed(layer) for layer in network.layers]
    by_layer = keras.Sequential([keras.Input((None, *network.input_shape[1:])), *wrapped])
    by_submodel, by_layers, folded = (
        np.asarray(ActivityRecognizer(head, encoder)(frames))
        for encoder in (
            layers.TimeDistributed(network),
            by_layer,
            PerFrame(network),
        )
    )
    np.testing.assert_allclose(by_submodel, by_layers, atol=1e-6)
    np.testing.assert_allclose(by_submodel, folded, atol=1e-6)
    assert np.ptp(by_submodel[:, 0]) > 1e-4


@pytest.mark.parametrize("name", ["averaging", "lstm", "conv_lstm"])
@pytest.mark.parametrize("motion", ["none", "median", "difference", "both", "change"])
def test_padding_frames_change_nothing(name, motion):
    rng = np.random.default_rng(0)
    features = rng.exponential(1, (2, 5, 3, 3, 8)).astype("float32")
    model = ActivityRecognizer(build_head(name, (3, 3, 8), classes=4, motion=motion))
    short = np.asarray(model(features[:1, :3]))
    mask = np.array([[True, True, True, False, False], [True] * 5])
    both = np.asarray(model({"frames": features, "frame_mask": mask}))
    np.testing.assert_allclose(both[:1], short, atol=1e-6)
    np.testing.assert_allclose(both[1:], np.asarray(model(features[1:])), atol=1e-6)
    np.testing.assert_allclose(both.sum(-1), 1, atol=1e-6)


def test_vgg16_and_what_reads_its_features_are_the_same_network():
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None, dtype="float32")
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, 224, 224, 3), dtype=np.uint8)
    head = build_head("conv_lstm", (7, 7, 512), classes=4, filters=2, channels=4)
    whole = np.asarray(ActivityRecognizer(head, encoder)(frames))
    features = np.asarray(encoder(frames)).reshape(1, 2, 7, 7, 512)
    np.testing.assert_allclose(np.asarray(ActivityRecognizer(head)(features)), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((8, 16, 16, 1), r"have 4 axes; 5 are expected, .*axis 1 being time.*clip\[None\]"),
        ((2, 3, 8, 16, 16, 1), "have 6 axes"),
        ((2, 1, 16, 16, 1), "have 1 frames on axis 1 .*2 to 6 are expected"),
        ((2, 7, 16, 16, 1), "have 7 frames on axis 1 .*2 to 6 are expected"),
    ],
)
def test_a_wrong_shape_says_which_axis_is_time(shape, message):
    head = build_head("lstm", (1, 1, 32), classes=2, units=8)
    model = ActivityRecognizer(head, PerFrame(small_network()), max_frames=FRAMES)
    with pytest.raises(CaptionerError, match=message):
        model(np.zeros(shape, "float32"))


def test_a_mask_that_does_not_fit_is_named():
    model = ActivityRecognizer(build_head("averaging", (3, 3, 8), classes=2))
    inputs = {"frames": np.zeros((2, 4, 3, 3, 8)), "frame_mask": np.ones((2, 5), bool)}
    with pytest.raises(CaptionerError, match=r"frame_mask of shape \(2, 5\) does not fit"):
        model(inputs)


def test_unknown_heads_and_options_are_named():
    with pytest.raises(CaptionerError, match="head 'gru': choose one of averaging"):
        build_head("gru", (7, 7, 512), classes=2)
    with pytest.raises(CaptionerError, match=r"head lstm: .*unit"):
        build_head("lstm", (7, 7, 512), classes=2, unit=3)
    with pytest.raises(CaptionerError, match="motion 'flow': choose one of none, median"):
        build_head("lstm", (7, 7, 512), classes=2, motion="flow")


@pytest.mark.parametrize("motion", ["both", "change"])
def test_features_and_their_motion_side_by_side_have_equal_weight(motion):
    rng = np.random.default_rng(0)
    features = rng.exponential(1.0, (2, 5, 3, 3, 4)).astype("float32")
    features[0, 3:] = 1e6  # padding
    mask = np.arange(5) < np.array([[3], [5]])
    found, kept = motion_features(features, mask, motion)
    found = np.asarray(found)
    assert found.shape == (2, 5, 3, 3, 8) and kept is mask
    for clip, length, own in zip(found, (3, 5), features, strict=True):
        own = own[:length]
        moving = (
            np.maximum(own - np.median(own, axis=0), 0)
            if motion == "both"
            else np.abs(np.diff(own, axis=0, prepend=own[:1]))
        )
        for half, expected in ((clip[..., :4], own), (clip[..., 4:], moving)):
            size = np.sqrt(np.square(expected).mean())
            np.testing.assert_allclose(half[:length], expected / size, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("motion", ["both", "change"])
def test_a_single_frame_is_read_with_its_motion(motion):
    head = build_head("averaging", (3, 3, 8), classes=4, motion=motion)
    assert np.isfinite(np.asarray(head(np.ones((1, 1, 3, 3, 8), "float32")))).all()
