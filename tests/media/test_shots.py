from itertools import count

import numpy as np
import pytest
from films import photos, write_film

from captioner.media.clip import Frame
from captioner.media.shots import mark_cuts
from captioner.media.video import Video

NAMES = ("cat.jpg", "rocket.jpg", "coffee.jpg", "shepherd.jpg")


def cuts_of(images):
    marked = list(mark_cuts(Frame(i / 4, i / 4, image) for i, image in enumerate(images)))
    assert [frame.time for frame, _ in marked] == [i / 4 for i in range(len(images))]
    return [i for i, (_, cut) in enumerate(marked) if cut]


def pan(image, frames, share=0.3):
    """A window that passes over a picture."""
    width = round(image.shape[1] * (1 - share))
    lefts = np.linspace(0, image.shape[1] - width, frames).astype(int)
    return [image[:, left : left + width] for left in lefts]


@pytest.mark.parametrize("lengths", [(4, 8, 6, 5), (2, 3, 9, 4)])
def test_cuts_between_moving_pictures(lengths):
    shots = [pan(image, n) for image, n in zip(photos(*NAMES), lengths, strict=True)]
    expected = np.cumsum((0, *lengths[:-1])).tolist()
    assert cuts_of([image for shot in shots for image in shot]) == expected


def test_movement_noise_and_fading_are_no_cuts():
    image = photos("coffee.jpg")[0]
    rng = np.random.default_rng(1)
    noisy = [np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8)] * 9
    fading = [(image * level).astype(np.uint8) for level in np.linspace(0, 1, 12)]
    for images in (pan(image, 12), noisy, fading, [image], []):
        assert cuts_of(images) == [0][: len(images)]


def held(images, times):
    """Each image as often as four looks a second find it on screen."""
    return [
        Frame(i / 4, i // times * times / 4, images[i // times]) for i in range(times * len(images))
    ]


@pytest.mark.parametrize(("name", "share", "times"), [("coffee.jpg", 0.5, 2), ("cat.jpg", 0.6, 4)])
def test_movement_in_a_film_of_few_frames_a_second_is_no_cut(name, share, times):
    (picture,) = photos(name)
    marked = list(mark_cuts(held(pan(picture, 6, share), times)))
    assert [i for i, (_, cut) in enumerate(marked) if cut] == [0]


def test_cuts_between_dark_pictures():
    dark = [(picture * 0.4).astype(np.uint8) for picture in photos(*NAMES)]
    assert cuts_of([image for picture in dark for image in pan(picture, 5, 0.1)]) == [0, 5, 10, 15]


def test_pictures_that_stay_on_screen_are_shots():
    marked = list(mark_cuts(held(photos(*NAMES), 8)))
    assert [i for i, (_, cut) in enumerate(marked) if cut] == [0, 8, 16, 24]


def test_cuts_of_a_film(tmp_path):
    shots = [pan(image, n) for image, n in zip(photos(*NAMES), (25, 40, 30, 20), strict=True)]
    path = write_film(tmp_path / "film.mp4", [x for shot in shots for x in shot], rate=20)
    found = list(mark_cuts(Video(str(path)).frames(k / 4 for k in count())))
    assert [frame.time for frame, cut in found if cut] == [0, 1.25, 3.25, 4.75]
