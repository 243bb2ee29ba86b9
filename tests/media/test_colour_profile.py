import numpy as np
import pytest
from icc_profiles import ADOBE_RGB, DISPLAY_P3, by_definition, matrix_profile
from pictures import encode, photo
from PIL import Image, ImageCms

from captioner.media.image import load_image

PICTURE = photo(90, 120)
SPACES = [(DISPLAY_P3, 2.2), (ADOBE_RGB, 563 / 256)]


@pytest.mark.parametrize(("primaries", "gamma"), SPACES)
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP", "HEIF"])
def test_colours_are_those_of_the_equations(primaries, gamma, file_format):
    options = {"lossless": True} if file_format == "WEBP" else {}
    profile = matrix_profile(primaries, gamma)
    plain = load_image(encode(PICTURE, file_format, **options))
    expected = by_definition(plain, primaries, gamma)
    found = load_image(encode(PICTURE, file_format, icc_profile=profile, **options)).astype(int)
    assert np.abs(found - expected).mean() < 0.5
    assert np.abs(plain - expected).mean() > 3  # so that the test could fail


def test_small_pictures_have_the_colours_of_the_large_ones():
    data = encode(PICTURE, "PNG", icc_profile=matrix_profile(DISPLAY_P3, 2.2))
    whole = Image.fromarray(load_image(data)).resize((32, 24), Image.Resampling.BICUBIC)
    assert np.abs(load_image(data, size=(24, 32)).astype(int) - np.asarray(whole)).mean() < 2


@pytest.mark.parametrize(
    "profile",
    [
        b"damaged",
        matrix_profile(DISPLAY_P3, 2.2)[:200],
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        matrix_profile(DISPLAY_P3, 2.2, name="sRGB IEC61966-2.1"),  # by its name, as it is common
    ],
)
def test_other_profiles_leave_pixels_as_they_are(profile):
    data = encode(PICTURE, "PNG", icc_profile=profile)
    np.testing.assert_array_equal(load_image(data), np.asarray(PICTURE))


def test_grey_and_transparent_pictures():
    profile = matrix_profile(ADOBE_RGB, 563 / 256)
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert load_image(encode(clear, "PNG", icc_profile=profile)).min() >= 254
    grey = load_image(encode(PICTURE.convert("L"), "PNG", icc_profile=profile))
    assert np.abs(grey[..., 0].astype(int) - grey[..., 2]).max() <= 1
