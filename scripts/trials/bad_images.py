"""Odd and broken images: files, and what is to come of each."""

import os
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

CAPTION, ERROR, EITHER = "caption", "error", "either"
Case = tuple[str, bytes, str]  # name, content, what is to come of it


def image_cases() -> Iterator[Case]:
    """Yield every image of the corpus."""
    yield from _whole()
    yield from _wrong()
    yield from _bombs()
    for name, content, ends in (
        ("jpg", _encode("JPEG"), _jpeg_ends),
        ("progressive.jpg", _encode("JPEG", progressive=True), _jpeg_ends),
        ("png", _encode("PNG"), _png_ends),
        ("gif", _encode("GIF", picture().convert("P")), _even_ends),
        ("webp", _encode("WEBP"), _even_ends),
        ("bmp", _encode("BMP"), _even_ends),
        ("tif", _encode("TIFF"), _even_ends),
        ("jp2", _encode("JPEG2000"), _even_ends),
    ):
        for end in ends(content):
            yield f"cut_{end:06d}.{name}", content[:end], EITHER


def picture(width: int = 96, height: int = 64) -> Image.Image:
    """Make an image with gradients and noise."""
    rng = np.random.default_rng(7)
    across = np.linspace(0, 200, width)[None, :, None]
    down = np.linspace(0, 55, height)[:, None, None]
    noise = rng.integers(0, 20, (height, width, 3))
    return Image.fromarray((across + down + noise).clip(0, 255).astype(np.uint8))


def _encode(form: str, image: Image.Image | None = None, **options: object) -> bytes:
    stream = BytesIO()
    (image or picture()).save(stream, form, **options)
    return stream.getvalue()


def _whole() -> Iterator[Case]:
    grey = picture().convert("L")
    for form, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif"), ("WEBP", "webp"),
                         ("BMP", "bmp"), ("TIFF", "tif"), ("JPEG2000", "jp2"), ("PPM", "ppm"),
                         ("TGA", "tga")):  # fmt: skip
        yield f"whole.{suffix}", _encode(form), CAPTION
        yield f"one_pixel.{suffix}", _encode(form, Image.new("RGB", (1, 1), "red")), CAPTION
        yield f"grey.{suffix}", _encode(form, grey), CAPTION
        # Its content tells what it is, and not its name.
        wrong = "png" if suffix == "jpg" else "jpg"
        yield f"{suffix}_named.{wrong}", _encode(form), CAPTION if suffix != "tga" else EITHER
    yield "avif.avif", _encode("AVIF"), CAPTION
    for width, height in ((65_000, 1), (1, 65_000), (65_000, 3)):
        yield f"{width}x{height}.png", _encode("PNG", Image.new("RGB", (width, height))), CAPTION
    yield "65000x8.jpg", _encode("JPEG", Image.new("RGB", (65_000, 8))), CAPTION
    deep = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    for form, suffix in (("PNG", "png"), ("TIFF", "tif"), ("PPM", "pgm")):
        yield f"sixteen_bits.{suffix}", _encode(form, Image.fromarray(deep)), CAPTION
    cmyk = picture().convert("CMYK")
    with_adobe = _encode("JPEG", cmyk)
    yield "cmyk_adobe.jpg", with_adobe, CAPTION
    place = with_adobe.find(b"\xff\xee")
    length = int.from_bytes(with_adobe[place + 2 : place + 4]) + 2
    yield "cmyk.jpg", with_adobe[:place] + with_adobe[place + length :], CAPTION
    yield "cmyk.tif", _encode("TIFF", cmyk), CAPTION
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, content in (("whole", profile), ("damaged", profile[:40]), ("none", b"no profile")):
        yield f"profile_{name}.jpg", _encode("JPEG", icc_profile=content), CAPTION
        yield f"profile_{name}.png", _encode("PNG", icc_profile=content), CAPTION
    for orientation in range(10):  # 1 to 8 mean something
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"exif_{orientation}.jpg", _encode("JPEG", exif=exif.tobytes()), CAPTION
    yield "exif_damaged.jpg", _encode("JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"), CAPTION
    for mode in ("RGBA", "LA", "P", "1", "PA"):
        image = picture().convert(mode) if mode != "PA" else picture().convert("P").convert("PA")
        form = "TIFF" if mode == "PA" else "PNG"
        yield f"mode_{mode}.{form.lower()[:4]}", _encode(form, image), CAPTION
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "x" * 2_000_000, zip=True)
    yield "long_text.png", _encode("PNG", pnginfo=text), EITHER
    frames = [picture().rotate(n) for n in range(4)]
    for form, suffix in (("GIF", "gif"), ("WEBP", "webp"), ("PNG", "png"), ("TIFF", "tif")):
        content = _encode(form, frames[0], save_all=True, append_images=frames[1:])
        yield f"several.{suffix}", content, CAPTION
    still = [picture().convert("P")] * 2
    yield "no_time.gif", _encode("GIF", still[0], save_all=True, append_images=still[1:],
                                 duration=0), CAPTION  # fmt: skip


def _wrong() -> Iterator[Case]:
    numbers = np.full((8, 8), np.nan, np.float32)
    yield "nan.tif", _encode("TIFF", Image.fromarray(numbers)), ERROR
    yield "infinite.tif", _encode("TIFF", Image.fromarray(numbers + np.inf)), ERROR
    yield "many.tif", _encode("TIFF", Image.fromarray(np.full((8, 8), 1e9, np.float32))), ERROR
    yield "whole_numbers.tif", _encode("TIFF", Image.fromarray(np.ones((8, 8), np.int32))), ERROR
    texts = {
        "empty": b"",
        "zero": b"\0",
        "zeros": bytes(4096),
        "text": b"a picture of a dog\n" * 20,
        "page": b"<!DOCTYPE html><html><body>404 not found</body></html>",
        "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64
        + b"\nsize 123456\n",
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF",
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "zip": b"PK\3\4" + bytes(60),
        "noise": np.random.default_rng(1).bytes(5000),
        "jpeg_start": b"\xff\xd8\xff",
        "playlist": b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    }  # fmt: skip
    for name, content in texts.items():
        for suffix in ("jpg", "png", "mp4"):
            yield f"{name}.{suffix}", content, ERROR


def _bombs() -> Iterator[Case]:
    yield "bomb_header.png", _png(2**31 - 1, 2**31 - 1, b""), ERROR
    yield "bomb_zeros.png", _png(30_000, 30_000, zlib.compress(bytes(2**20), 9)), ERROR
    yield "bomb_short.png", _png(10_000, 10_000, zlib.compress(bytes(1000))), EITHER
    yield "bomb.gif", b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\xf0\0\0" + bytes(6), ERROR
    yield "bomb.bmp", b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, 60_000, 60_000, 1, 24,
                                                      0, 0, 0, 0, 0, 0), ERROR  # fmt: skip
    yield "bomb.ppm", b"P6 60000 60000 255\n", ERROR
    yield "bomb.webp", b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f" + bytes(8), ERROR


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _jpeg_ends(content: bytes) -> list[int]:
    """Where segments begin, their headers end, and some places in the scan."""
    ends, place = [2], 2
    while content[place] == 0xFF and content[place + 1] != 0xDA:
        ends += [place + 2, place + 4]
        place += 2 + int.from_bytes(content[place + 2 : place + 4])
        ends.append(place)
    return sorted({*ends, *_even_ends(content, place)})


def _png_ends(content: bytes) -> list[int]:
    ends, place = [8], 8
    while place < len(content):
        length = int.from_bytes(content[place : place + 4])
        ends += [place + 4, place + 8, place + 8 + length // 2, place + 8 + length]
        place += 12 + length
    return sorted({end for end in ends if end < len(content)})


def _even_ends(content: bytes, start: int = 0) -> list[int]:
    return sorted({start + (len(content) - start) * share // 8 for share in range(1, 8)})


def odd_names() -> list[str]:
    """Names that a shell, a report or a terminal could stumble over."""
    names = ["line\nend.jpg", "tab\tstop.jpg", "🐕 dog.jpg", "-r.jpg", "=1+1.jpg", "a'b\"c.jpg",
             "\x1b[31mred.jpg", "trailing .jpg", "[2020]*.jpg", "é.jpg", "e\u0301.jpg",
             "\u202egpj.exe.jpg", "n" * 250 + ".jpg", "no suffix", ".hidden.jpg", "%41.jpg",
             "#.jpg", "a,b;c.jpg"]  # fmt: skip
    return names if os.name == "posix" else [name for name in names if name.isprintable()]
