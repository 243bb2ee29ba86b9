import numpy as np

from captioner.media.clip import Clip
from captioner.models.clip_features import encode_clips


def test_clips_of_any_length_in_passes_of_one_size():
    seen = []

    def encoder(images):  # the mean of a frame stands for its features
        seen.append(images.shape)
        return images.mean((2, 3, 4))[:, :, None, None]

    lengths = {7: 1, 3: 5, 4: 2, 9: 3}
    rng = np.random.default_rng(0)
    clips = {
        number: Clip(rng.integers(0, 256, (t, 2, 2, 3), np.uint8), np.arange(t))
        for number, t in lengths.items()
    }
    found = dict(encode_clips(encoder, clips, batch_size=4))
    assert list(found) == list(lengths)
    for number, clip in clips.items():
        np.testing.assert_allclose(found[number][:, 0, 0], clip.frames.mean((1, 2, 3)))
    assert seen == [(4, 1, 2, 2, 3)] * 3
    assert dict(encode_clips(encoder, {}, batch_size=4)) == {}
