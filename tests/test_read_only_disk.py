import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from read_only_disk import contents, mount_disk, refuse_writing, seal_disk, unmount_disk

from captioner.cli import main as captioner
from captioner.cli.caption import main as caption

PICTURES = Path(__file__).parents[1] / "data" / "samples"


@pytest.fixture(scope="module")
def filled(tiny_preset, tmp_path_factory):
    """What is on the disk: pictures, a table, a report and a library of earlier runs."""
    folder = tmp_path_factory.mktemp("filled")
    for name in ("dog.jpg", "cat.jpg"):
        shutil.copy(PICTURES / name, folder)
    for number in range(8):
        shutil.copy(PICTURES / "dog.jpg", folder / f"{number}.png")
    rows = [f"{number}.png,a dog" for number in range(8)]
    (folder / "captions.csv").write_text("\n".join(["image,caption", *rows]))
    stage = {"name": "frozen", "epochs": 1, "learning_rate": 0.1}
    recipe = {
        "dataset": str(folder / "captions.csv"),
        "features": "features",
        "run": "run",
        "encoder": {"preset": str(tiny_preset)},
        "stages": [stage],
    }
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    (folder / "results.json").write_text('[{"image_id": "dog.jpg", "caption": "a dog"}]')
    (folder / "truth.csv").write_text("image,caption\ndog.jpg,a dog\n")
    make = ["--preset", str(tiny_preset), "--out", "{}.jsonl", "--library", "{}.db", "--quiet"]
    done = CliRunner().invoke(
        caption,
        [str(folder / "dog.jpg"), *(a.format(folder / "kept") for a in make)],
    )
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(params=["mounted", "patched"])
def disk(request, filled, tmp_path, monkeypatch):
    """A folder with all that which cannot be written to, and the current one."""
    folder = tmp_path / "disk"
    if request.param == "mounted":
        mount_disk(folder)
        request.addfinalizer(lambda: (os.chdir(tmp_path), unmount_disk(folder)))
    shutil.copytree(filled, folder, dirs_exist_ok=True)
    monkeypatch.chdir(folder)
    if request.param == "mounted":
        seal_disk(folder)
    else:
        refuse_writing(monkeypatch, folder)
    return folder


CAPTION = {
    "a new report": ["dog.jpg", "--out", "new.jsonl"],
    "a report that is gone on with": ["dog.jpg", "cat.jpg", "--out", "kept.jsonl"],
    "a report that is replaced": ["dog.jpg", "--out", "new.json"],
    "a page": ["dog.jpg", "--html", "new.html"],
    "a new library": ["dog.jpg", "--library", "new.db"],
    "a library that is there": ["cat.jpg", "--library", "kept.db"],
    "a sidecar": ["dog.jpg", "--sidecar", "txt"],
    "embedding": ["dog.jpg", "--embed"],
    "the attention": ["dog.jpg", "--explain", "new.jpg"],
}
CAPTIONER = {
    "prepare": ["prepare", "captions.csv", "--preset", "PRESET", "--out", "new"],
    "train": ["train", "recipe.yaml", "--run", "new/run", "--features", "new/features"],
    "teach": ["teach", "captions.csv", "--preset", "PRESET", "--out", "new"],
    "average": ["average", "PRESET", "PRESET", "--out", "new"],
    "export": ["export", "PRESET", "--format", "preset", "--out", "new"],
    "evaluate": ["evaluate", "results.json", "--references", "truth.csv", "--split", "all",
                 "--no-meteor", "--resamples", "2", "--html", "new.html"],
    "correct": ["correct", "kept.db", "dog.jpg", "our dog"],
    "correct --export": ["correct", "kept.db", "--export", "new.jsonl"],
}  # fmt: skip


def check_refusal(done, disk, before):
    text = done.stderr
    assert done.exit_code in (1, 2), done.output
    assert "Traceback" not in text and not isinstance(done.exception, OSError)
    (line,) = [x for x in text.splitlines() if x.startswith("Error: ")]
    assert "cannot" in line and ("Read-only" in line or "readonly" in line or ".db" in line), line
    assert contents(disk) == before


@pytest.mark.parametrize("arguments", CAPTION.values(), ids=CAPTION)
def test_caption_says_what_it_cannot_write(disk, tiny_preset, arguments):
    before = contents(disk)
    done = CliRunner().invoke(caption, [*arguments, "--preset", str(tiny_preset)])
    check_refusal(done, disk, before)


@pytest.mark.parametrize("arguments", CAPTIONER.values(), ids=CAPTIONER)
def test_other_commands_say_what_they_cannot_write(disk, tiny_preset, arguments):
    before = contents(disk)
    given = [str(tiny_preset) if a == "PRESET" else a for a in arguments]
    check_refusal(CliRunner().invoke(captioner, given), disk, before)


def test_what_is_on_it_is_read_as_from_any_disk(disk, tiny_preset):
    done = CliRunner().invoke(caption, ["dog.jpg", "cat.jpg", "--preset", str(tiny_preset)])
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 2


def test_a_library_on_it_is_searched(filled, tmp_path, monkeypatch):
    folder = mount_disk(tmp_path / "disk")
    try:
        shutil.copy(filled / "kept.db", folder)
        seal_disk(folder)
        done = CliRunner().invoke(captioner, ["search", str(folder / "kept.db")])
        assert done.exit_code == 0 and "dog.jpg" in done.stdout, done.output
    finally:
        unmount_disk(folder)
