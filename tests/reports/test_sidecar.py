import json
import os
from pathlib import Path

import pytest
import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from captioner.errors import CaptionerError
from captioner.metadata.xmp import read_texts
from captioner.reports.sidecar import FORMS, SidecarNames, Sidecars, suffix_of
from captioner.results import Caption

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
DOG = Caption("a dog", ("a", "dog"), -1.25, -0.5, confidence=0.5)
CAT = Caption("a cat", ("a", "cat"), -1.5, -0.6)
BOTH = Caption("a dog", ("a", "dog"), -1.25, -0.5, alternatives=(CAT,))
UNSURE = Caption("", (), -9.0, -3.0, confidence=0.1, uncertain=True)
SHOTS = [
    Caption("a dog", ("a", "dog"), -1.25, -0.5, span=(0.0, 2.0)),
    Caption("a cat", ("a", "cat"), -1.25, -0.5, span=(2.0, 4.5)),
]


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (8, 8)).save(path)
    return path


def texts(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.suffix == ".txt"}


def test_txt_has_a_caption_a_line(photo, tmp_path):
    Sidecars("txt").write(str(photo), [BOTH])
    Sidecars("txt").write(str(tmp_path / "clip.mp4"), SHOTS)
    assert texts(tmp_path) == {"photo.txt": "a dog\na cat\n", "clip.txt": "a dog\na cat\n"}


def test_json_is_the_row_of_a_report(photo):
    Sidecars("json").write(str(photo), [DOG])
    row = json.loads(photo.with_suffix(".json").read_text())
    assert row == {"path": "photo.jpg", "caption": "a dog", "log_prob": -1.25, "confidence": 0.5}


def test_xmp_is_named_as_photo_managers_do(photo, tmp_path):
    Sidecars("xmp").write(str(photo), [BOTH])
    expected = {"description": "a dog", "alt": "a dog"}
    assert read_texts((tmp_path / "photo.jpg.xmp").read_bytes()) == expected
    Sidecars("xmp").write(str(tmp_path / "clip.mp4"), SHOTS)
    assert read_texts((tmp_path / "clip.mp4.xmp").read_bytes())["alt"] == "a dog; a cat"


def test_an_xmp_sidecar_of_lightroom_is_filled_in(photo, tmp_path):
    short = tmp_path / "photo.xmp"
    Sidecars("xmp", "stem").write(str(photo), [DOG])
    short.write_bytes(short.read_bytes().replace(b"a dog", b""))
    sidecars = Sidecars("xmp")
    assert sidecars.wants(str(photo))
    sidecars.write(str(photo), [CAT])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.jpg", "photo.xmp"]
    assert read_texts(short.read_bytes())["description"] == "a cat"
    assert not sidecars.wants(str(photo))


def test_subtitles_of_clips_alone(photo, tmp_path):
    clip = SAMPLES / "shepherd_and_cat.mp4"
    for form in ("srt", "vtt"):
        sidecars = Sidecars(form)
        assert not sidecars.wants(str(photo))
        assert sidecars.wants(str(clip))
        sidecars.write(str(tmp_path / "clip.mp4"), SHOTS)
        assert list(sidecars.summary()) == ["Skipped (images, which have no subtitles): 1"]
    assert [cue.content for cue in srt.parse((tmp_path / "clip.srt").read_text())] == [
        "a dog",
        "a cat",
    ]
    cues = webvtt.read(tmp_path / "clip.vtt")
    assert [cue.text for cue in cues] == ["a dog", "a cat"]


def test_an_animation_has_subtitles(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("moving.gif", "moving.png", "moving.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=500)
        assert Sidecars("vtt").wants(str(tmp_path / name))
        frames[0].save(tmp_path / name)
        assert not Sidecars("vtt").wants(str(tmp_path / name))


@pytest.mark.parametrize("form", FORMS)
def test_errors_and_withheld_captions_leave_nothing(form, photo, tmp_path):
    error = CaptionerError("it breaks off")
    for results in ([error], [*SHOTS, error], [UNSURE]):
        Sidecars(form).write(str(photo), results)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


@pytest.mark.parametrize("form", FORMS)
def test_what_exists_is_skipped_and_counted(form, tmp_path):
    clip = str(tmp_path / "clip.mp4")
    Sidecars(form).write(clip, SHOTS)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    sidecars = Sidecars(form)
    assert not sidecars.wants(clip)
    assert list(sidecars.summary()) == [f"Skipped (already have a .{suffix_of(form)} file): 1"]
    assert Sidecars(form, existing="overwrite").wants(clip)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    for path in before:
        path.write_text(" \n")
    assert Sidecars(form).wants(clip)


@pytest.mark.parametrize(
    ("existing", "expected"),
    [("append", "sks dog a dog\n"), ("prepend", "a dog sks dog\n"), ("overwrite", "a dog\n")],
)
def test_own_words_before_or_after(existing, expected, photo):
    photo.with_suffix(".txt").write_text("sks dog\n")
    for _ in range(2):  # as a run does that was killed and is started again
        sidecars = Sidecars("txt", existing=existing)
        assert sidecars.wants(str(photo))
        sidecars.write(str(photo), [DOG])
    assert photo.with_suffix(".txt").read_text() == expected


def test_bytes_that_are_not_utf8_stay(photo):
    photo.with_suffix(".txt").write_bytes(b"caf\xe9\n")
    Sidecars("txt", existing="append").write(str(photo), [DOG])
    assert photo.with_suffix(".txt").read_bytes() == b"caf\xe9 a dog\n"


@pytest.mark.parametrize("order", [1, -1])
def test_pictures_of_one_stem_have_a_sidecar_each(order, tmp_path):
    names = ["a.jpg", "a.PNG", "a.mov", "b.mov", "A.heic"]
    for name in names:
        (tmp_path / name).touch()
    sidecars = Sidecars("txt")
    for name in names[::order]:
        assert sidecars.wants(str(tmp_path / name))
        sidecars.write(str(tmp_path / name), [Caption(name, (), -1.0, -1.0)])
    assert texts(tmp_path) == {
        "A.txt": "A.heic\n",
        "a.PNG.txt": "a.PNG\n",
        "a.jpg.txt": "a.jpg\n",
        "a.mov.txt": "a.mov\n",
        "b.txt": "b.mov\n",
    }
    (line,) = sidecars.summary()
    assert line.startswith("Given full names") and line.endswith("and 2 more")


names = st.lists(
    st.tuples(st.sampled_from(["a", "b", "a.b"]), st.sampled_from([".jpg", ".png", ".mp4", ""])),
    unique=True,
)


@given(files=names, naming=st.sampled_from([None, "stem", "full"]))
def test_no_two_files_share_a_sidecar(tmp_path_factory, files, naming):
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / f"{stem}{suffix or '.webp'}" for stem, suffix in files]
    for path in paths:
        path.touch()
    given_names = SidecarNames("txt", naming)
    found = [given_names.path(path) for path in paths]
    assert len({os.fspath(path).casefold() for path in found}) == len(paths)
    if naming == "full":
        assert [path.name for path in found] == [f"{path.name}.txt" for path in paths]


def test_what_cannot_be_read_or_written_is_named(photo, tmp_path):
    (tmp_path / "photo.jpg.xmp").write_text("no xml")
    with pytest.raises(CaptionerError, match=r"photo\.jpg\.xmp: its XMP is damaged"):
        Sidecars("xmp").wants(str(photo))
    (tmp_path / "photo.txt").mkdir()
    with pytest.raises(CaptionerError, match=r"cannot read .*photo\.txt"):
        Sidecars("txt").wants(str(photo))


def test_an_image_on_standard_input_has_none():
    assert not Sidecars("txt").wants("-")
