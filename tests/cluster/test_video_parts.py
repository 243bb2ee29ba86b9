import json
import math

import pytest
from films import photos, write_film

from captioner.cluster.item import Item
from captioner.cluster.video_parts import divide_video, join_parts, video_seconds

FILM = Item("film.mp4", "/film.mp4", "1-1")


@pytest.mark.parametrize("every", [None, 2.5, 90.0])
@pytest.mark.parametrize("seconds", [1260.0, 1799.9, 3600.0, 7300.0])
def test_parts_follow_one_another(seconds, every):
    parts = divide_video(FILM, seconds, 600.0, every)
    assert len(parts) == seconds // (630 if every == 90 else 600)  # of whole windows
    begins, ends = zip(*(part.steps for part in parts), strict=True)
    assert begins[0] == 0
    assert begins[1:] == ends[:-1]
    assert ends[-1] is None
    assert {part.path for part in parts} == {"film.mp4"}


@pytest.mark.parametrize(
    ("seconds", "part", "every"),
    [(1199.0, 600.0, None), (None, 600.0, None), (9999.0, 0, None), (9999.0, 600.0, math.inf)],
)
def test_what_stays_in_one_piece(seconds, part, every):
    assert divide_video(FILM, seconds, part, every) == []


def test_seconds_are_those_of_the_header(tmp_path):
    path = write_film(tmp_path / "film.mp4", photos("cat.jpg") * 35)
    assert video_seconds(Item("film.mp4", str(path))) == pytest.approx(3.5)
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:3.5,\nfile://{path}\n#EXT-X-ENDLIST\n")
    assert video_seconds(Item("list.mp4", str(playlist))) is None
    assert video_seconds(Item("cat.jpg", "data/samples/cat.jpg")) is None
    assert video_seconds(Item("no.mp4", "/no.mp4")) is None


def segment(start, end):
    return {"start": start, "end": end, "caption": f"{start}"}


def test_parts_are_joined_to_the_row_of_the_film():
    rows = [
        {"path": "film.mp4", "key": "12", "version": "1-1", "segments": [segment(0.0, 4.5)]},
        {"path": "film.mp4", "key": "12"},
        {"path": "film.mp4", "segments": [segment(4.5, 9.125), segment(9.125, 10.0)]},
    ]
    assert join_parts(rows) == {
        "path": "film.mp4",
        "key": "12",
        "version": "1-1",
        "segments": [segment(0.0, 4.5), segment(4.5, 9.125), segment(9.125, 10.0)],
    }


@pytest.mark.parametrize(
    "rows",
    [
        [{"segments": [segment(0.0, 4.0)]}, {"segments": [segment(4.2, 9.0)]}],
        [{"segments": [segment(0.2, 4.0)]}],
        [{"segments": [segment(0.0, 4.0)]}, {"error": "it breaks off"}],
        [{"segments": [segment(0.0, 4.0)], "error": "it breaks off"}, {}],
        [{}, {}],
    ],
    ids=json.dumps,
)
def test_what_does_not_fit_is_described_as_a_whole(rows):
    assert join_parts(rows) is None
