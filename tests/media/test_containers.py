from itertools import count

import pytest
from av.error import FFmpegError
from films import numbered, write_film, write_packets
from pictures import encode
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.containers import open_container
from captioner.media.sources import read_clips
from captioner.media.video import Video

DASH = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S">
<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">
<BaseURL>{other}</BaseURL></Representation></AdaptationSet></Period></MPD>"""
PLAYLISTS = {
    "concat": "ffconcat version 1.0\nfile other.ts\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{other}\n#EXT-X-ENDLIST\n",
    "dash": DASH,
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "vobsub": "# VobSub index file, v7\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 0\n",
}


@pytest.fixture
def other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_film(tmp_path / "other.ts", [numbered(i) for i in range(20)])


@pytest.mark.parametrize("suffix", ["mp4", "ts", "jpg", "m3u8", "idx", "txt"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_files_that_name_other_files_are_refused(tmp_path, other, kind, suffix):
    path = tmp_path / f"clip.{suffix}"
    path.write_text(PLAYLISTS[kind].format(other=other))
    with pytest.raises(CaptionerError):
        open_container(str(path))
    expected = rf"read {path} \(a playlist, which names other files\): name the videos"
    with pytest.raises(CaptionerError, match=expected):
        list(read_clips(path, (8, 8)))


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        *(
            (suffix, "libx264")
            for suffix in ("mp4", "m4v", "mov", "mkv", "ts", "mts", "flv", "3gp")
        ),
        *((suffix, "mpeg2video") for suffix in ("mpg", "mpeg", "m2v", "vob", "mxf")),
        *((suffix, "mpeg4") for suffix in ("avi", "nut", "asf", "wmv", "rm")),
        *((suffix, "libvpx") for suffix in ("webm", "ivf")),
        *(("h264", "libx264"), ("hevc", "libx265"), ("y4m", "wrapped_avframe")),
    ],
)
def test_every_usual_format_is_opened(tmp_path, suffix, codec):
    path = tmp_path / f"film.{suffix}"
    try:
        write_film(path, [numbered(i, 288, 360) for i in range(10)], rate=25, codec=codec)
    except (FFmpegError, ValueError) as error:
        pytest.skip(f"this FFmpeg does not write it: {error}")
    container, stream = open_container(str(path))
    assert (stream.width, stream.height) == (360, 288)
    container.close()


@pytest.mark.parametrize("name", ["a%d.jpg", "a%03d.png", "a*.jpg"])
def test_image_sequences_are_not_followed(tmp_path, name):
    for number in ("1", "2", "001"):
        Image.fromarray(numbered(3)).save(tmp_path / f"a{number}.jpg")
        Image.fromarray(numbered(3)).save(tmp_path / f"a{number}.png")
    with pytest.raises(CaptionerError):
        open_container(str(tmp_path / name))
    (tmp_path / name).write_text("no image")
    with pytest.raises(CaptionerError):
        list(read_clips(tmp_path / name, (8, 8)))


@pytest.mark.parametrize(
    "name", ["concat:other.ts", "subfile,,start,0,end,0,,:other.ts", "http://127.0.0.1:9/x.mp4"]
)
def test_no_name_is_a_url(other, name):
    with pytest.raises(CaptionerError, match="No such file"):
        open_container(name)


def test_frames_over_the_limit_are_refused(tmp_path):
    large = encode(Image.new("L", (6500, 6500)), "JPEG")
    path = write_packets(tmp_path / "large.avi", [large] * 3)
    video = Video(str(path), (8, 8))
    with pytest.raises(CaptionerError, match=r"large\.avi \(frames over the limit of \d+ pixels"):
        list(video.frames(k / 10 for k in count()))
    video.close()


def test_frames_that_grow_over_the_limit_are_left_out_and_said_so(tmp_path):
    small = encode(Image.new("RGB", (160, 120), "red"), "JPEG")
    large = encode(Image.new("L", (6500, 6500)), "JPEG")
    path = write_packets(tmp_path / "grows.mkv", [small] * 5 + [large] * 3 + [small] * 2)
    times = []
    video = Video(str(path), (8, 8))
    with pytest.raises(CaptionerError, match=r"all of .*grows\.mkv \(frames over the limit"):
        times.extend(frame.time for frame in video.frames(k / 10 for k in count()))
    video.close()
    assert times[:5] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
