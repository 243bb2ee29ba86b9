from captioner.presets.activity import read_activity_preset
from captioner.presets.activity_network import load_activity_network


def test_the_bundled_recognizer_fits_the_bundled_captioner_whose_vgg16_it_uses():
    preset = read_activity_preset("vgg16_lstm_signs")
    network = load_activity_network(preset)
    assert network.frozen.features_shape == (7, 7, 512)
    assert network.recognizer.head.classes == len(preset.labels) == 10
