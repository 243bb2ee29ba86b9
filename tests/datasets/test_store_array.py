import os
import shutil
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest

from captioner.datasets.store_files import create_array, reopen_array
from captioner.errors import CaptionerError

pytest.importorskip("resource")


def test_all_of_its_room_is_taken(tmp_path):
    array = create_array(tmp_path / "a.npy", (1000, 1, 49, 8))
    assert array.dtype == np.float16 and not array.any()
    blocks = (tmp_path / "a.npy").stat().st_blocks * 512
    assert blocks >= array.nbytes
    array[999] = 1
    array.flush()
    assert reopen_array(tmp_path / "a.npy", 1000)[999].all()


def test_what_does_not_fit_is_told_with_figures(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**9, 0, 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(CaptionerError, match=r"a\.npy needs 2 MB, and 1 MB are free"):
        create_array(tmp_path / "a.npy", (1_000_000,))
    assert not (tmp_path / "a.npy").exists()


def test_a_limit_is_an_error_and_no_signal(tmp_path):
    """In a process of its own: the limit cannot be lifted again."""
    code = (
        "import resource, sys\n"
        "from captioner.datasets.store_files import create_array\n"
        "from captioner.errors import CaptionerError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "from pathlib import Path\n"
        "try:\n"
        "    create_array(Path(sys.argv[1]), (1_000_000,))\n"
        "except CaptionerError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.npy")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "which needs 2 MB (File too large)" in done.stdout
    assert not (tmp_path / "a.npy").exists()


def test_a_damaged_array_is_named(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"no array")
    with pytest.raises(CaptionerError, match=r"cannot resume .*a\.npy"):
        reopen_array(tmp_path / "a.npy", 1000)
    with pytest.raises(CaptionerError, match=r"cannot resume .*b\.npy"):
        reopen_array(tmp_path / "b.npy", 1)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of three megabytes, where mounting is allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if not mounted or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a file system may not be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_an_error_before_the_first_row(small_disk):
    with pytest.raises(CaptionerError, match="free disk space, or choose another folder"):
        create_array(small_disk / "a.npy", (2_000_000,))
    assert list(small_disk.iterdir()) == []
    (small_disk / "film").write_bytes(bytes(2_000_000))
    with pytest.raises(CaptionerError, match="free disk space"):
        create_array(small_disk / "a.npy", (1_000_000,))
    array = create_array(small_disk / "a.npy", (400_000,))
    array[:] = 1
    array.flush()


def test_a_store_begun_sparse_on_a_disk_that_is_full_now_is_no_signal(small_disk):
    np.lib.format.open_memmap(small_disk / "a.npy", mode="w+", dtype=np.float16, shape=(2_000_000,))
    with pytest.raises(CaptionerError, match="free disk space"):
        reopen_array(small_disk / "a.npy", 1)
