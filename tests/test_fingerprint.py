import os
import shutil

import pytest

from captioner.datasets.store_files import RecordedFiles
from captioner.errors import CaptionerError
from captioner.fingerprint import is_same_moment, take_fingerprint


@pytest.fixture
def frames(tmp_path):
    """A folder of three frames, which is one clip."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in (1, 2, 10):
        (folder / f"{number}.jpg").write_bytes(b"frame %d" % number)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (1, 1))  # clocks of files are coarse: a change at once might have their time
    return folder


def replace_frame(frames):
    (frames / "2.jpg").write_bytes(b"other 2")


def swap_frames(frames):
    (frames / "1.jpg").rename(frames / "x.jpg")
    (frames / "2.jpg").rename(frames / "1.jpg")
    (frames / "x.jpg").rename(frames / "2.jpg")


CHANGES = {
    "a frame is replaced": replace_frame,
    "two frames are swapped": swap_frames,
    "a frame is added": lambda frames: (frames / "11.jpg").write_bytes(b""),
    "a frame is deleted": lambda frames: (frames / "10.jpg").unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_folder_of_frames_is_known_by_its_frames(frames, change):
    known = take_fingerprint(str(frames))
    assert known.size == len(b"frame 1frame 2frame 10")
    assert is_same_moment(str(frames), known)
    change(frames)
    assert not is_same_moment(str(frames), known)
    assert take_fingerprint(str(frames)).sha256 != known.sha256


def test_what_is_no_frame_changes_nothing(frames):
    known = take_fingerprint(str(frames))
    (frames / "notes.txt").write_text("mine")
    os.utime(frames / "1.jpg")
    assert take_fingerprint(str(frames)).sha256 == known.sha256


def test_a_copy_elsewhere_is_the_same(frames, tmp_path):
    shutil.copytree(frames, tmp_path / "copy")
    copy = take_fingerprint(str(tmp_path / "copy"))
    assert copy.sha256 == take_fingerprint(str(frames)).sha256


def test_other_folders_have_none(tmp_path):
    (tmp_path / "film.mp4").touch()
    assert take_fingerprint(str(tmp_path)) is None


def test_a_feature_store_notices_a_replaced_frame(frames, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    files = RecordedFiles(store, 0)
    files.resume()
    files.add([str(frames)])
    RecordedFiles(store, 1).check(["clip"], [str(frames)])
    replace_frame(frames)
    with pytest.raises(CaptionerError, match=r"1 file has changed .* \(clip\)"):
        RecordedFiles(store, 1).check(["clip"], [str(frames)])
