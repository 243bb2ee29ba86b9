import os
import signal
import subprocess
import sys

import pytest

from captioner.errors import CaptionerError
from captioner.replacing import replacing, replacing_folder, restore_folder

# Writes new content again and again until it is killed, and says when it has begun.
_WRITER = """
import sys
from pathlib import Path
from captioner.replacing import replacing_folder
folder = Path(sys.argv[1])
print("begun", flush=True)
number = 0
while True:
    number += 1
    with replacing_folder(folder) as partial:
        for name in "abc":
            (partial / name).write_text(str(number) * 2000)
"""


def _content(folder):
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert sorted(texts) == ["a", "b", "c"]
    assert len(set(texts.values())) == 1  # of one writing, not of two
    return texts["a"]


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path):
    path = tmp_path / "report.txt"
    path.write_text("old")
    path.chmod(0o600)
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ZeroDivisionError), replacing(path) as partial:
        partial.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(CaptionerError, match=r"report\.txt.*choose a folder"),
        replacing(tmp_path / "absent" / "report.txt") as partial,
    ):
        partial.write_text("new")


def test_replaces_the_whole(tmp_path):
    folder = tmp_path / "new" / "folder"
    for names in ("ab", "c"):
        with replacing_folder(folder) as partial:
            for name in names:
                (partial / name).write_text(name)
    assert [path.name for path in folder.iterdir()] == ["c"]
    assert list(folder.parent.iterdir()) == [folder]


def test_an_error_leaves_what_was_there(tmp_path):
    folder = tmp_path / "folder"
    with replacing_folder(folder) as partial:
        (partial / "old").write_text("")
    with pytest.raises(KeyboardInterrupt), replacing_folder(folder) as partial:
        (partial / "new").write_text("")
        raise KeyboardInterrupt
    assert [path.name for path in folder.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_kill_at_any_moment_leaves_the_old_or_the_new(tmp_path):
    folder = tmp_path / "folder"
    with replacing_folder(folder) as partial:
        for name in "abc":
            (partial / name).write_text("0" * 2000)
    for delay in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(folder)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        try:
            process.wait(timeout=0.003 * delay + 0.01)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        process.stdout.close()
        restore_folder(folder)
        _content(folder)
    assert list(tmp_path.iterdir()) == [folder]  # nothing half-written is left


def test_a_kill_between_the_two_renamings_is_mended(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".folder.{gone.pid}-0123abcd.old").mkdir()
    (tmp_path / f".folder.{gone.pid}-0123abcd.old" / "a").write_text("kept")
    (tmp_path / f".folder.{gone.pid}-0123abcd.part").mkdir()
    restore_folder(tmp_path / "folder")
    assert (tmp_path / "folder" / "a").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_a_running_process_writes_is_left_alone(tmp_path):
    theirs = tmp_path / f".folder.{os.getppid()}-0123abcd.part"
    theirs.mkdir()
    restore_folder(tmp_path / "folder")
    assert theirs.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
@pytest.mark.parametrize("make", ["replacing", "replacing_folder"])
def test_a_full_disk_is_one_error_and_leaves_what_was_there(tmp_path, make):
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        f"from captioner.replacing import {make}\n"
        "from captioner.errors import CaptionerError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        f"    with {make}(Path(sys.argv[1])) as partial:\n"
        "        path = partial / 'a' if partial.is_dir() else partial\n"
        "        path.write_bytes(bytes(2000))\n"
        "except CaptionerError as error:\n"
        "    print(error)\n"
    )
    target = tmp_path / "target"
    if make == "replacing_folder":
        target.mkdir()
        (target / "a").write_text("before")
    else:
        target.write_text("before")
    done = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True)
    assert done.stdout.startswith(f"cannot write {target} (File too large)"), done.stderr
    assert list(tmp_path.iterdir()) == [target]
    assert (target / "a" if target.is_dir() else target).read_text() == "before"
