import numpy as np
from PIL import Image

from captioner.datasets.augment import View
from captioner.datasets.dataset import Example


def read(path, seed, captions, image_id="a"):
    tokens = tuple(tuple(caption.split()) for caption in captions)
    example = Example(image_id, str(path), captions, tokens, "train")
    (clip,) = View(seed).read(example, (64, 64))
    return clip.frames


def test_a_view_is_the_same_each_time_and_another_for_each_seed_and_picture(tmp_path):
    path = tmp_path / "a.png"
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    first = read(path, 1, ("a dog",))
    np.testing.assert_array_equal(first, read(path, 1, ("a dog",)))
    assert not np.array_equal(first, read(path, 2, ("a dog",)))
    assert not np.array_equal(first, read(path, 1, ("a dog",), image_id="b"))
    assert not np.array_equal(first[0], pixels)


def test_half_of_the_pictures_are_mirrored_but_for_those_whose_captions_name_a_side(tmp_path):
    path = tmp_path / "ramp.png"
    ramp = np.broadcast_to(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], (64, 64, 3))
    Image.fromarray(ramp.copy()).save(path)

    def mirrored(captions):
        frames = [read(path, 1, captions, f"{n}")[0] for n in range(200)]
        return sum(int(frame[0, 0, 0]) > int(frame[0, -1, 0]) for frame in frames)

    assert 70 < mirrored(("a dog",)) < 130
    assert mirrored(("a dog on the left",)) == 0
