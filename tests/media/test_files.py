import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.media.files import find_media
from captioner.media.image import load_image


@pytest.fixture
def album(tmp_path, monkeypatch) -> Path:
    for name in (
        "2.jpg",
        "10.JPG",
        "1.png",
        "notes.txt",
        ".hidden.jpg",
        "scan.dat",
        "phone.heic",
        "day 1/b.webp",
        "day 1/deep/c.gif",
        "day 10/e.tiff",
        "day 2/d.jpeg",
        ".cache/thumb.jpg",
        "texts/readme.txt",
        "../trip [2020]/f.jpg",
        "../trip [2020]/[g]/h.jpg",
        "../trip 2/i.jpg",
    ):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def find(*patterns: str | os.PathLike[str], recursive: bool = False) -> list[str]:
    return [Path(p).as_posix() for p in find_media(patterns, recursive=recursive)]


TOP = ["album/1.png", "album/2.jpg", "album/10.JPG", "album/phone.heic"]
DEEP = [
    "album/day 1/b.webp",
    "album/day 1/deep/c.gif",
    "album/day 2/d.jpeg",
    "album/day 10/e.tiff",
]


def test_files_come_in_the_order_given(album):
    assert find("album/2.jpg", "album/10.JPG", "album/1.png") == [TOP[1], TOP[2], TOP[0]]
    assert find(Path("album/2.jpg")) == [TOP[1]]


def test_named_files_need_no_picture_suffix(album):
    names = ["album/notes.txt", "album/.hidden.jpg", "album/scan.dat"]
    assert find(*names) == names


def test_folder_gives_its_pictures_in_natural_order(album):
    assert find("album") == TOP
    assert find("album/") == TOP


def test_recursive_descends(album):
    assert find("album", recursive=True) == TOP + DEEP


def test_all_files_of_a_folder(album):
    (album / "album/link").symlink_to(album / "empty", target_is_directory=True)
    (album / "album/self").symlink_to(album / "album/self")
    found = list(find_media(["album"], all_files=True))
    names = ["1.png", "2.jpg", "10.JPG", "notes.txt", "phone.heic", "scan.dat", "self"]
    assert [Path(path).as_posix() for path in found] == [f"album/{name}" for name in names]
    texts = list(find_media(["album/t*"], all_files=True))
    assert [Path(path).as_posix() for path in texts] == ["album/texts/readme.txt"]


@pytest.mark.parametrize("name", ["a.mpo", "a.JXL", "a.hif", "a.NEF", "a.cr3", "a.dng"])
def test_formats_of_cameras_are_pictures(album, name):
    (album / "empty" / name).touch()
    assert find("empty") == [f"empty/{name}"]


def test_absolute_folders_give_absolute_paths(album):
    assert find(album / "album") == [(album / path).as_posix() for path in TOP]


def test_each_file_comes_once(album):
    assert find("album/2.jpg", "album", "album/../album/1.png", album / "album/2.jpg") == [
        "album/2.jpg",
        "album/1.png",
        "album/10.JPG",
        "album/phone.heic",
    ]


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links(album):
    (album / "album/link.jpg").symlink_to(album / "album/2.jpg")
    (album / "album/loop").symlink_to(album / "album", target_is_directory=True)
    (album / "album/broken.jpg").symlink_to(album / "nowhere.jpg")
    (album / "album/self.jpg").symlink_to(album / "album/self.jpg")
    once = find("album", recursive=True)
    assert [path for path in once if "loop" in path] == []
    assert sorted(once) == sorted([*TOP, *DEEP, "album/broken.jpg", "album/self.jpg"])
    # A link that is named is followed.
    assert find("album/loop")[0] == "album/loop/1.png"


@pytest.mark.parametrize("missing", ["none.jpg", "none/at/all.png", "", "*.jpg", "a\0b", "x" * 300])
def test_what_is_missing_is_accounted_for(album, missing):
    found = list(find_media([missing, "album/1.png", missing]))
    assert found == [missing, "album/1.png"]
    with pytest.raises(CaptionerError):
        load_image(missing)


def test_folder_without_pictures_is_accounted_for(album):
    assert find("empty", "album/texts", "album/1.png") == ["empty", "album/texts", "album/1.png"]
    with pytest.raises(CaptionerError, match=r"cannot read empty .* folder"):
        load_image("empty")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may list every folder")
def test_folders_that_may_not_be_listed_are_accounted_for(album):
    closed = album / "album/day 2"
    closed.chmod(0)
    try:
        assert find("album", recursive=True) == [*TOP, *DEEP[:2], "album/day 2", DEEP[3]]
        assert find(closed / "d.jpeg") == [(closed / "d.jpeg").as_posix()]
        with pytest.raises(CaptionerError, match=r"permission denied|folder"):
            load_image(closed)
    finally:
        closed.chmod(0o755)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("album/*", [*TOP[:3], DEEP[0], *DEEP[2:], TOP[3]]),
        ("album/*.jpg", ["album/2.jpg"]),
        ("album/*.dat", ["album/scan.dat"]),
        ("album/*.txt", ["album/notes.txt"]),
        ("album/?.*", ["album/1.png", "album/2.jpg"]),
        ("album/[12].*", ["album/1.png", "album/2.jpg"]),
        ("album/day ?", [DEEP[0], DEEP[2]]),
        ("album/**/*.gif", [DEEP[1]]),
        ("**/d.*", [DEEP[2]]),
        ("album/t*", ["album/t*"]),
        ("*/*.bmp", ["*/*.bmp"]),
        ("trip [2020]/*.jpg", ["trip [2020]/f.jpg"]),
        ("trip [2020]/[g]/*", ["trip [2020]/[g]/h.jpg"]),
        ("./trip [2020]/?.jpg", ["trip [2020]/f.jpg"]),
        ("trip [2021]/*.jpg", ["trip 2/i.jpg"]),
        ("a\0[b]", ["a\0[b]"]),
    ],
)
def test_patterns_that_the_shell_left(album, pattern, expected):
    assert find(pattern) == expected


def test_two_stars_find_what_recursion_finds(album):
    assert sorted(find("album/**")) == sorted(TOP + DEEP)


def test_pattern_whose_files_were_given_before_is_no_error(album):
    assert find("album/1.png", "album/*.png") == ["album/1.png"]


def test_file_whose_name_looks_like_a_pattern(album):
    (album / "a[1].jpg").touch()
    assert find("a[1].jpg") == ["a[1].jpg"]


def test_folders_are_listed_when_their_turn_comes(album):
    images = find_media(["album/1.png", "later"])
    assert isinstance(images, Iterator)
    assert next(images) == "album/1.png"
    (album / "later").mkdir()
    (album / "later/new.jpg").touch()
    assert [Path(path).as_posix() for path in images] == ["later/new.jpg"]


# Three letters, digits of two scripts, and "²", which is a digit but no number.
NAMES = st.lists(st.text("abB0127٣²", min_size=1, max_size=8), min_size=1, max_size=6, unique=True)


@given(NAMES)
def test_any_names_can_be_ordered(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("names")
    for name in names:
        (folder / f"{name}.jpg").touch()
    found = [Path(path).stem for path in find_media([folder])]
    assert sorted(found) == sorted(path.stem for path in folder.iterdir())
    numbers = [int(name) for name in found if name.isdecimal()]
    assert numbers == sorted(numbers)
