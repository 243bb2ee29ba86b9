import fsspec
import pytest

from captioner.cluster.object_store import Folder, open_store, patiently
from captioner.errors import CaptionerError


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)


class Flaky:
    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_what_may_pass_is_tried_again():
    action = Flaky(ConnectionResetError("reset"), TimeoutError(), OSError("503 Slow Down"))
    assert patiently(action) == "done"
    assert action.calls == 4


@pytest.mark.parametrize("error", [FileNotFoundError("x"), PermissionError("x"), ValueError("x")])
def test_what_stays_wrong_is_not_tried_again(error):
    action = Flaky(error)
    with pytest.raises(type(error)):
        patiently(action)
    assert action.calls == 1


def test_patience_has_an_end():
    action = Flaky(*[OSError("down")] * 100)
    with pytest.raises(OSError, match="down"):
        patiently(action)
    assert action.calls == 5


@pytest.mark.parametrize("kind", ["disk", "store"])
def test_files_of_a_folder(kind, tmp_path):
    folder = Folder(str(tmp_path / "new") if kind == "disk" else f"memory://{tmp_path.name}/new")
    assert folder.names() == []
    assert not folder.has("a.json")
    folder.write("b.json", b"1")
    folder.write("a.json", b"2")
    folder.write("a.json", b"3")
    folder.write("inner/c.json", b"4")
    assert folder.names() == ["a.json", "b.json"]
    assert folder.names("inner") == ["c.json"]
    assert folder.read("a.json") == b"3"
    folder.delete("a.json")
    folder.delete("a.json")
    assert folder.names() == ["b.json"]
    with pytest.raises(FileNotFoundError):
        folder.read("a.json")


def test_a_failed_write_leaves_nothing(monkeypatch, tmp_path):
    folder = Folder(f"memory://{tmp_path.name}")
    system = fsspec.filesystem("memory")
    monkeypatch.setattr(type(system), "pipe_file", lambda *_: Flaky(*[OSError("full")] * 9)())
    with pytest.raises(CaptionerError, match=r"memory://.*full"):
        folder.write("a.json", b"1")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CaptionerError, match="file"):
        Folder(str(tmp_path / "file")).write("a.json", b"1")


def test_an_unknown_protocol_says_what_to_install():
    with pytest.raises(CaptionerError, match=r"nosuch://.*pip install"):
        open_store("nosuch://bucket/dog.jpg")
