"""HDR by the formulas of the standards, written here once more, and by their reference levels."""

import av
import numpy as np
import pytest
from films import photos

from captioner.media.tone_mapping import HLG, PQ, tone_map
from captioner.media.video import Video

# BT.2408-7, table 1: signal of reference white, and of the 18 % grey card (26 cd/m2).
WHITE, GREY_CARD = {PQ: 0.58, HLG: 0.75}, {PQ: 0.38, HLG: 0.38}
BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def level(signal, transfer):
    return tone_map(np.full((1, 1, 3), round(signal * 65535), np.uint16), transfer)[0, 0]


def as_hdr(image, transfer):
    """An SDR image (H, W, 3), uint8, with its white at 203 cd/m2, as HDR signal, float."""
    light = (image / 255) ** 2.4 @ BT2020.T * 203
    if transfer == PQ:
        y = (light / 10000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375
    shown = light / 1000
    luminance = (shown @ [0.2627, 0.6780, 0.0593])[..., None]
    scene = shown * np.maximum(luminance, 1e-9) ** ((1 - 1.2) / 1.2)
    logarithm = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithm)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_levels_of_the_standard(transfer):
    # The grey card reflects 18 %: 26 of 203 cd/m2, which an SDR display of gamma 2.4 shows at 43 %.
    assert np.abs(level(GREY_CARD[transfer], transfer) / 255 - (26 / 203) ** (1 / 2.4)).max() < 0.02
    assert level(WHITE[transfer], transfer).min() > 0.84 * 255
    assert level(0, transfer).max() == 0
    peak = 0.7518 if transfer == PQ else 1.0  # 1000 cd/m2
    assert level(peak, transfer).min() >= 254
    assert level(1, transfer).min() == 255


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_brighter_stays_brighter_and_grey_stays_grey(transfer):
    ramp = np.linspace(0, 65535, 700).astype(np.uint16)
    image = tone_map(np.repeat(ramp[:, None, None], 3, 2), transfer)[:, 0].astype(int)
    assert (np.diff(image, axis=0) >= 0).all()
    assert np.ptp(image, axis=1).max() <= 1


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_ten_bit_film_looks_like_its_sdr_version(transfer, tmp_path):
    image = photos("coffee.jpg")[0]
    signal = np.rint(as_hdr(image, transfer) * 65535).astype(np.uint16)
    path = str(tmp_path / "hdr.mp4")
    name = "smpte2084" if transfer == PQ else "arib-std-b67"
    with av.open(path, "w") as container:
        options = {
            "crf": "4",
            "x265-params": f"log-level=0:colorprim=bt2020:transfer={name}:colormatrix=bt2020nc",
        }
        stream = container.add_stream("libx265", rate=5, options=options)
        stream.height, stream.width, stream.pix_fmt = 120, 160, "yuv420p10le"
        frame = av.VideoFrame.from_ndarray(signal, format="rgb48le")
        frame = frame.reformat(format="yuv420p10le", dst_colorspace="BT2020")
        for _ in range(3):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    video = Video(path)
    found = next(video.frames([0.0])).image.astype(int)
    small = next(Video(path, (64, 64)).frames([0.0])).image
    video.close()
    # Only highlights are darker, by the roll-off; without tone mapping the mean difference is 40.
    dark = image.max(-1) < 130
    assert dark.mean() > 0.2
    assert np.abs(found - image)[dark].mean() < 6
    assert np.abs(found - image).mean() < 14
    assert small.shape == (64, 64, 3)
    assert np.abs(small.mean((0, 1)) - found.mean((0, 1))).max() < 3
