import os
from io import BytesIO

import numpy as np
import pyexiv2
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from captioner.errors import CaptionerError
from captioner.metadata.embedding import embed, is_described

DESCRIPTION, ALT = "Xmp.dc.description", "Xmp.iptc.AltTextAccessibility"
PIXELS = np.random.default_rng(0).integers(0, 256, (33, 47, 4), np.uint8)  # odd sides


def picture(mode="RGB", size=None):
    image = Image.fromarray(PIXELS).convert(mode)
    return image.resize(size) if size else image


def encode(image, file_format, **options):
    stream = BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def exif():
    data = Image.Exif()
    data[0x010F] = "Maker"
    data[0x0112] = 6
    return data


def png_text():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "kept")
    return info


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
OTHER_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>'
)
FILES = {
    "plain.jpg": encode(picture(), "JPEG"),
    "progressive.jpg": encode(picture(), "JPEG", progressive=True, comment=b"kept"),
    "grey.jpg": encode(picture("L"), "JPEG"),
    "exif.jpg": encode(picture(), "JPEG", exif=exif(), icc_profile=SRGB),
    "rated.jpg": encode(picture(), "JPEG", exif=exif(), xmp=OTHER_XMP),
    "plain.png": encode(picture("RGBA"), "PNG"),
    "texts.png": encode(picture("P"), "PNG", pnginfo=png_text(), exif=exif()),
    "lossy.webp": encode(picture(), "WEBP"),
    "alpha.webp": encode(picture("RGBA"), "WEBP", lossless=True),
    "opaque.webp": encode(picture(), "WEBP", lossless=True),
    "rated.webp": encode(picture("RGBA"), "WEBP", exif=exif(), xmp=OTHER_XMP),
    "moving.webp": encode(
        picture(), "WEBP", save_all=True, append_images=[picture("L")], duration=90
    ),
    "moving.png": encode(picture(), "PNG", save_all=True, append_images=[picture().rotate(90)]),
}


def pixels(data):
    with Image.open(BytesIO(data)) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.array(image.convert("RGBA")))
        return np.stack(frames)


def scan_bytes(data):
    """The bytes that pixels are decoded from, found without the package's own parsers."""
    if data.startswith(b"\xff\xd8"):
        return data[data.index(b"\xff\xda") :]  # neither headers nor these profiles have this pair
    if data.startswith(b"\x89PNG"):
        return data[data.index(b"IDAT") - 4 :]
    start = min(i for i in (data.find(k) for k in (b"VP8 ", b"VP8L", b"ANIM")) if i > 0)
    end = data.find(b"EXIF", start) if b"EXIF" in data else data.find(b"XMP ", start)
    return data[start:end] if end > 0 else data[start:]


def other_metadata(path):
    with pyexiv2.Image(str(path)) as image:
        xmp = image.read_xmp()
        for key in (DESCRIPTION, ALT):
            xmp.pop(key, None)
        metadata = image.read_exif(), xmp, image.read_comment()
    with Image.open(path) as image:
        return *metadata, image.info.get("icc_profile"), image.info.get("Comment")


@pytest.mark.parametrize("name", FILES)
def test_pixels_and_other_metadata_stay(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    before = other_metadata(path)
    assert not is_described(path)
    embed(path, "a dog & é", "keep")
    data = path.read_bytes()
    np.testing.assert_array_equal(pixels(data), pixels(FILES[name]))
    assert scan_bytes(data) == scan_bytes(FILES[name])
    assert other_metadata(path) == before
    assert is_described(path)
    with pyexiv2.Image(str(path)) as image:
        found = image.read_xmp()
    assert found[DESCRIPTION]['lang="x-default"'] == found[ALT]['lang="x-default"'] == "a dog & é"
    with Image.open(path) as image:  # a second independent reader
        described = str(image.getxmp())
        assert described.count("a dog & é") == 2
        assert dict(image.getexif()) == dict(Image.open(BytesIO(FILES[name])).getexif())
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["plain.jpg", "texts.png", "lossy.webp"])
def test_a_description_that_is_there_is_kept_or_joined_or_replaced(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    with pyexiv2.Image(str(path)) as image:
        image.modify_xmp({DESCRIPTION: {'lang="x-default"': "our Rex"}})
    for existing, expected in (
        ("keep", "our Rex"),
        ("append", "our Rex a dog"),
        ("append", "our Rex a dog"),
        ("overwrite", "a cat"),
    ):
        embed(path, "a cat" if existing == "overwrite" else "a dog", existing)
        with pyexiv2.Image(str(path)) as image:
            assert image.read_xmp()[DESCRIPTION]['lang="x-default"'] == expected
    np.testing.assert_array_equal(pixels(path.read_bytes()), pixels(FILES[name]))


def test_nothing_new_leaves_the_file_alone(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(FILES["plain.jpg"])
    embed(path, "a dog", "keep")
    before = path.stat()
    embed(path, "a cat", "keep")
    assert os.path.samestat(path.stat(), before)


def test_a_compressed_packet_of_a_png_is_read_and_replaced(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", OTHER_XMP.decode(), zip=True)
    path = tmp_path / "a.png"
    picture().save(path, pnginfo=info)
    embed(path, "a dog", "keep")
    with Image.open(path) as image:
        assert 'xmp:Rating="5"' in image.info["XML:com.adobe.xmp"]
    assert path.read_bytes().count(b"XML:com.adobe.xmp") == 1


def test_further_pictures_of_a_file_are_still_found(tmp_path):
    path = tmp_path / "a.jpg"
    second = picture().rotate(180)
    picture().save(path, "MPO", save_all=True, append_images=[second])
    with Image.open(path) as image:
        image.seek(1)
        before = np.array(image)
    embed(path, "a dog", "keep")
    with Image.open(path) as image:
        assert image.n_frames == 2
        image.seek(1)
        np.testing.assert_array_equal(np.array(image), before)


def test_a_link_stays_one(tmp_path):
    path, link = tmp_path / "a.jpg", tmp_path / "link.jpg"
    path.write_bytes(FILES["plain.jpg"])
    link.symlink_to(path)
    embed(link, "a dog", "keep")
    assert link.is_symlink() and is_described(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.gif", encode(picture("P"), "GIF")),
        ("a.tif", encode(picture(), "TIFF")),
        ("empty.jpg", b""),
        ("short.jpg", FILES["exif.jpg"][:400]),
        ("short.png", FILES["plain.png"][:60]),
        ("short.webp", FILES["lossy.webp"][:40]),
        ("broken.jpg", encode(picture(), "JPEG", xmp=b"<x:xmpmeta")),
    ],
)
def test_what_cannot_be_described_is_refused_and_stays(name, data, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(CaptionerError, match=rf"cannot write .*{name} .*: use --sidecar xmp"):
        embed(path, "a dog", "overwrite")
    assert path.read_bytes() == data
    assert len(list(tmp_path.iterdir())) == 1


def test_a_long_packet_does_not_fit_in_a_jpeg(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(FILES["plain.jpg"])
    with pytest.raises(CaptionerError, match="over the limit of JPEG"):
        embed(path, "dog " * 20_000, "keep")
    assert path.read_bytes() == FILES["plain.jpg"]
