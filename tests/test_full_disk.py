"""Commands on a disk that is full: in processes of their own, which a signal would end."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from read_only_disk import contents, mount_disk, unmount_disk

PICTURES = Path(__file__).parents[1] / "data" / "samples"
_FILL = "film.bin"


@pytest.fixture
def full_disk(tmp_path):
    """A file system of eight megabytes that has two pictures, and no room."""
    folder = mount_disk(tmp_path / "disk", "8m")
    for number in range(2):
        shutil.copy(PICTURES / "dog.jpg", folder / f"{number}.jpg")
    (folder / "captions.csv").write_text("image,caption\n0.jpg,a dog\n1.jpg,a dog\n")
    with (folder / _FILL).open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    yield folder
    unmount_disk(folder)


def run(folder, module, *arguments):
    code = f"from captioner.{module} import main; main()"
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


CAPTION = {
    "jsonl": ["--out", "rows.jsonl"],
    "csv": ["--out", "rows.csv"],
    "json": ["--out", "rows.json"],
    "page": ["--html", "page.html"],
    "library": ["--library", "pictures.db"],
    "sidecar": ["--sidecar", "txt"],
    "embed": ["--embed"],
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", CAPTION)
def test_caption_says_so_and_goes_on_once_there_is_room(full_disk, tiny_preset, kind):
    command = ["cli.caption", "0.jpg", "1.jpg", "--preset", tiny_preset, *CAPTION[kind]]
    pictures = {name: data for name, data in contents(full_disk).items() if name != _FILL}
    done = run(full_disk, *command)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr, done.stderr
    assert "No space left" in done.stderr or "is full" in done.stderr, done.stderr
    assert pictures.items() <= contents(full_disk).items()
    (full_disk / _FILL).unlink()
    done = run(full_disk, *command)
    assert done.returncode == 0, done.stderr
    rows = (full_disk / "rows.jsonl").read_text().splitlines() if kind == "jsonl" else [0, 1]
    assert len(rows) == 2


@pytest.mark.slow
@pytest.mark.parametrize("command", ["average", "prepare"])
def test_folders_appear_whole_or_not_at_all(full_disk, tiny_preset, command):
    arguments = {
        "average": [tiny_preset, tiny_preset],
        "prepare": ["captions.csv", "--preset", tiny_preset],
    }[command]
    done = run(full_disk, "cli", command, *arguments, "--out", "new")
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    (full_disk / _FILL).unlink()
    done = run(full_disk, "cli", command, *arguments, "--out", "new")
    assert done.returncode == 0, done.stderr
