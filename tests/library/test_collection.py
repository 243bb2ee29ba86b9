import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlite_utils
from pictures import encode, photo
from PIL import Image
from raw_files import dng

from captioner.errors import CaptionerError
from captioner.fingerprint import take_fingerprint
from captioner.library.collection import Library
from captioner.library.schema import Facts, read_facts
from captioner.results import Caption

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
DOG = [Caption("a dog", ("a", "dog"), -1.25, -0.5, confidence=0.5)]
SHOTS = [
    Caption("a dog", ("a", "dog"), -1.0, -0.5, span=(0.0, 2.0)),
    Caption("a cat", ("a", "cat"), -1.0, -0.5, span=(2.0, 4.0)),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (20, 10), "red" if name == "a.jpg" else "blue").save(name)
    return tmp_path


@pytest.fixture
def library(folder):
    with Library(Path("photos.db"), create=True) as library:
        yield library


def put(library, path, captions=DOG, model="tiny 1234"):
    library.put(path, take_fingerprint(path), captions, model)


def texts(library):
    return {row["path"]: row["text"] for row in library.rows()}


def test_other_programs_read_what_is_kept(library):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:05:17 12:30:00"
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save("a.jpg", exif=exif)
    put(library, "a.jpg")
    (row,) = sqlite_utils.Database("photos.db").query("select * from library")
    described = row.pop("described")
    assert len(described) == 19
    assert row == {
        "path": "a.jpg",
        **dict.fromkeys(("start", "end", "corrected", "removed")),
        **dict.fromkeys(("text", "caption"), "a dog"),
        "confidence": 0.5,
        "model": "tiny 1234",
        "taken": "2024-05-17 12:30:00",
        "width": 10,
        "height": 20,
        "size": Path("a.jpg").stat().st_size,
        "sha256": take_fingerprint("a.jpg").sha256,
    }
    assert sqlite_utils.Database("photos.db")["captions"].detect_fts() == "captions_fts"


def test_facts_of_videos_and_of_what_cannot_be_read(tmp_path):
    facts = read_facts(SAMPLES / "shepherd_and_cat.mp4")
    assert (facts.width, facts.height) > (100, 100) and facts.taken is None
    (tmp_path / "a.jpg").write_bytes(b"broken")
    assert read_facts(tmp_path / "a.jpg") == read_facts(tmp_path / "none.jpg") == Facts()


@pytest.mark.parametrize("name", ["DSC_1.NEF", "IMG_1.CR3"])
def test_facts_of_raw_files_are_those_of_their_previews(name, tmp_path):
    exif = Image.Exif()
    exif[0x0132] = "2024:05:17 12:30:00"
    exif[0x0112] = 6
    preview = encode(photo(480, 640), "JPEG", exif=exif)
    magic = b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" if name.endswith("CR3") else b""
    (tmp_path / name).write_bytes(magic + dng(np.zeros((120, 160, 3), np.uint8), preview))
    assert read_facts(tmp_path / name) == Facts(480, 640, "2024-05-17 12:30:00")


def test_a_raw_file_may_have_the_date_outside_its_preview(tmp_path):
    preview = encode(photo(480, 640), "JPEG")
    (tmp_path / "DSC_1.NEF").write_bytes(dng(np.zeros((120, 160, 3), np.uint8), preview))
    assert read_facts(tmp_path / "DSC_1.NEF") == Facts(640, 480, "2001-02-03 04:05:06")


def test_corrections_survive_new_captions_and_changed_files(library):
    put(library, "a.jpg")
    library.correct("./a.jpg", " our  Rex\n")
    Image.new("RGB", (30, 30)).save("a.jpg")
    put(library, "a.jpg", [Caption("a wolf", (), -1.0, -1.0)], "better 99")
    (row,) = library.rows()
    assert (row["caption"], row["corrected"], row["text"]) == ("a wolf", "our Rex", "our Rex")
    assert (row["model"], row["width"]) == ("better 99", 30)
    library.correct("a.jpg", None)
    assert texts(library) == {"a.jpg": "a wolf"}


def test_of_a_clip_the_shot_at_a_time_is_corrected(library):
    put(library, "b.jpg", SHOTS)
    with pytest.raises(CaptionerError, match=r"2 shots: choose one with --at"):
        library.correct("b.jpg", "Rex")
    with pytest.raises(CaptionerError, match="no shot at that time"):
        library.correct("b.jpg", "Rex", at=4.0)
    library.correct("b.jpg", "our cat", at=2.0)
    # Found again by another cut.
    shots = [
        Caption("x", (), -1.0, -1.0, span=span) for span in ((0.0, 1.0), (1.0, 2.5), (2.5, 4.0))
    ]
    put(library, "b.jpg", shots)
    assert [row["text"] for row in library.rows()] == ["x", "x", "our cat"]


def test_a_moved_file_keeps_its_captions(library):
    put(library, "a.jpg")
    library.correct("a.jpg", "Rex")
    Path("new").mkdir()
    Path("a.jpg").rename("new/c.jpg")
    assert library.mark_removed(["."]) == 1
    assert library.adopt("new/c.jpg", take_fingerprint("new/c.jpg")) == "moved"
    (row,) = library.rows()
    assert (row["path"], row["text"], row["removed"]) == ("new/c.jpg", "Rex", None)


def test_a_copy_gets_them_and_another_file_does_not(library):
    put(library, "a.jpg")
    library.correct("a.jpg", "Rex")
    shutil.copy("a.jpg", "c.jpg")
    assert library.adopt("c.jpg", take_fingerprint("c.jpg")) == "copied"
    assert library.adopt("b.jpg", take_fingerprint("b.jpg")) is None
    assert texts(library) == {"a.jpg": "Rex", "c.jpg": "Rex"}
    library.correct("c.jpg", "Max")
    assert texts(library) == {"a.jpg": "Rex", "c.jpg": "Max"}


def test_what_is_gone_is_marked_until_it_is_back(library, folder):
    for name in ("a.jpg", "b.jpg"):
        put(library, name)
    data = Path("a.jpg").read_bytes()
    Path("a.jpg").unlink()
    assert library.mark_removed(["no such disk"]) == 0
    assert library.mark_removed([str(folder)]) == 1
    assert library.mark_removed(["."]) == 0
    assert [row["path"] for row in library.rows("removed IS NOT NULL")] == ["a.jpg"]
    Path("a.jpg").write_bytes(data)
    library.mark_removed(["."])
    assert not list(library.rows("removed IS NOT NULL"))


def test_a_library_moves_with_its_folder(folder):
    Path("trip").mkdir()
    shutil.copy("a.jpg", "trip")
    with Library(Path("trip/photos.db"), create=True) as library:
        put(library, "trip/a.jpg")
        put(library, "b.jpg")
    Path("trip").rename("holiday")
    with Library(Path("holiday/photos.db")) as library:
        assert library.find("holiday/a.jpg") == take_fingerprint("holiday/a.jpg")
        assert library.find("b.jpg") is not None
        assert library.find("holiday/b.jpg") is None


def test_an_error_in_between_changes_nothing(library):
    put(library, "a.jpg")
    broken = Caption(None, (), -1.0, -1.0)
    with pytest.raises(CaptionerError, match=r"cannot write photos\.db"):
        put(library, "a.jpg", [*SHOTS, broken])
    assert texts(library) == {"a.jpg": "a dog"}


def test_names_of_any_bytes(library):
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    shutil.copy("a.jpg", name)
    put(library, name)
    assert library.find(name) is not None
    assert texts(library) == {"caf\\udce9.jpg": "a dog"}


def test_what_is_no_library_is_named_and_stays(folder):
    Path("text.db").write_text("no database, but a text that is long enough to be one" * 30)
    sqlite3.connect("other.db").executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
    with Library(Path("later.db"), create=True) as library:
        library.execute("PRAGMA user_version = 9")
    for name, reason in {
        "text.db": "is not a library of captions",
        "other.db": "of another program",
        "later.db": "later version",
        "none.db": r"no such file.*--library none\.db",
        "none/a.db": "no such file",
    }.items():
        with pytest.raises(CaptionerError, match=rf"{name}.*{reason}"):
            Library(Path(name))
    with pytest.raises(CaptionerError, match=r"cannot open none/a\.db"):
        Library(Path("none/a.db"), create=True)
    assert sqlite3.connect("other.db").execute("SELECT x FROM t").fetchone() == (1,)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "expected"), [("captioner", "opened"), ("sys", "import captioner before it")]
)
def test_the_sqlite_of_tensorflow_is_not_taken(first, expected, tmp_path):
    pytest.importorskip("tensorflow")
    code = (
        f"import sys, pathlib, {first}, tensorflow; from captioner.library.schema import connect\n"
        "try:\n    connect(pathlib.Path(sys.argv[1]), create=True)\n    print('opened')\n"
        "except Exception as error:\n    print(error)"
    )
    command = [sys.executable, "-c", code, tmp_path / "photos.db"]
    done = subprocess.run(command, capture_output=True, text=True)
    # On systems whose libraries do not take one another's place, both open.
    assert expected in done.stdout or (first == "sys" and done.stdout == "opened\n"), done.stderr
