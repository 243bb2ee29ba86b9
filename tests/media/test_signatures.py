from io import BytesIO

import av
import numpy as np
import pytest
from pictures import MARKED, encode

from captioner.errors import CaptionerError
from captioner.media.image_files import recognize
from captioner.media.sources import read_clips


def sound(file_format: str, codec: str) -> bytes:
    target = BytesIO()
    with av.open(target, "w", format=file_format) as container:
        stream = container.add_stream(codec, rate=48000)
        samples = np.zeros((1, 48000), np.int16)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate = 48000
        for part in av.AudioResampler(stream.format, "mono", 48000).resample(frame):
            for packet in stream.encode(part):
                container.mux(packet)
        container.mux(stream.encode())
    return target.getvalue()


PNG = encode(MARKED, "PNG")
LFS = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
CASES = {
    "pointer": (LFS, "a Git LFS pointer, not the file itself", "run `git lfs pull`"),
    "html": (b"<!DOCTYPE html>\n<html><body>404</body></html>", "an HTML page", "download the"),
    "xhtml": (b"<?xml version='1.0'?>\n<html><p>x</p></html>", "an HTML page", "download the"),
    "empty": (b"", "empty", "fetch it again"),
    "zeros": (bytes(9000), "only zero bytes", "fetch it again"),
    "png": (PNG[:8] + bytes(60), "a damaged PNG image", "fetch it again"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(60), "a damaged JPEG image", "fetch it again"),
    "zip": (b"PK\x03\x04" + bytes(60), "an archive", "unpack it"),
    "pdf": (b"%PDF-1.7", "a PDF document", "export its pages"),
    "mp3": (sound("mp3", "mp3"), "audio without images", "name an image or a video"),
    "adts": (sound("adts", "aac"), "audio without images", "name an image or a video"),
    "wav": (sound("wav", "pcm_s16le"), "audio without images", "name an image or a video"),
    "flac": (sound("flac", "flac"), "audio without images", "name an image or a video"),
    "ogg": (sound("ogg", "libopus"), "audio without video", "name a video or an image"),
    "m4a": (sound("ipod", "aac"), "audio without images", "name an image or a video"),
}


@pytest.mark.parametrize("suffix", ["jpg", "png", "mp4", "dat"])
@pytest.mark.parametrize("case", CASES)
def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path, case, suffix):
    content, reason, fix = CASES[case]
    path = tmp_path / f"file.{suffix}"
    path.write_bytes(content)
    with pytest.raises(CaptionerError) as caught:
        list(read_clips(path, (8, 8)))
    assert str(caught.value).startswith(f"cannot read {path} ({reason}): {fix}")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_damaged_image_is_not_to_be_converted_to_a_video(tmp_path, suffix):
    random = np.random.default_rng(0)
    path = tmp_path / f"broken.{suffix}"
    for damage in range(40):
        data = bytearray(PNG if suffix == "png" else encode(MARKED, "JPEG"))
        for place in random.integers(0, len(data), 1 + damage % 9):
            data[place] = random.integers(256)
        path.write_bytes(data)
        try:
            list(read_clips(path, (8, 8)))
        except CaptionerError as error:
            assert "MP4 with" not in str(error)


def test_a_mark_of_byte_order_is_no_audio():
    assert recognize("Dear diary".encode("utf-16")).name.startswith("not an image")
