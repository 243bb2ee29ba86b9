"""What `caption` says and leaves behind where a report, a signal or a terminal is involved."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from captioner.cli.caption import main

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
CAT = SAMPLES / "cat.jpg"
# As the shell starts it, Ctrl-C included where the tests run in the background.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from captioner.cli.caption import main; main(prog_name='caption')"
)


@pytest.fixture
def command(tiny_preset):
    return [sys.executable, "-c", COMMAND, "--preset", str(tiny_preset), "--batch-size", "1"]


@pytest.fixture
def run(tiny_preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **options):
        return CliRunner().invoke(
            main, ["--preset", str(tiny_preset), *map(str, arguments)], **options
        )

    return run


@pytest.fixture
def many(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        shutil.copy(CAT, folder / f"{number}.jpg")
    return folder


def test_each_folder_is_described_once_in_one_report(run, tmp_path, monkeypatch):
    for folder in ("A", "B"):
        Path(tmp_path, folder).mkdir()
        shutil.copy(SAMPLES / ("cat.jpg" if folder == "A" else "rocket.jpg"), f"{folder}/a.jpg")
    for folder in ("A", "B"):
        monkeypatch.chdir(tmp_path / folder)
        assert run("a.jpg", "--out", "../all.jsonl").exit_code == 0
    monkeypatch.chdir(tmp_path)
    result = run("-r", ".", "--out", "all.jsonl")
    assert result.stderr == "Skipped (already in the report): 2\n"
    rows = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert [row["path"] for row in rows] == ["a.jpg", "../B/a.jpg"]


def test_other_options_are_refused_with_the_difference(run):
    shutil.copy(CAT, "cat.jpg")
    assert run("cat.jpg", "--out", "r.csv").exit_code == 0
    before = Path("r.csv").read_bytes()
    result = run("cat.jpg", "--mirror", "--beam-width", "5", "--out", "r.csv")
    assert result.exit_code == 2
    assert "r.csv was begun with --beam-width 3, no --mirror, and this run" in result.stderr
    assert "--overwrite" not in result.stderr
    assert Path("r.csv").read_bytes() == before
    # The preset's own beam width, said aloud, is no difference.
    assert run("cat.jpg", "--beam-width", "3", "--out", "r.csv").exit_code == 0


def test_what_folders_hold_besides_is_said_in_one_line(run):
    Path("photos/trip").mkdir(parents=True)
    shutil.copy(CAT, "photos/cat.jpg")
    for name in ("a.SVG", "b.svg", "notes.txt", ".hidden", "README"):
        Path("photos", name).touch()
    Path("photos/link").symlink_to("trip")
    result = run("photos", "--out", "photos/r.jsonl")
    line = "Left out: .svg (2), "
    assert result.stderr.startswith(line) and result.stderr.count("\n") == 1
    others = {".txt (1)", "no suffix (1)", "links to folders (1)"}
    others.add("subfolders (1; --recursive searches them)")
    assert set(result.stderr.strip().removeprefix(line).split(", ")) == others
    # Neither the report nor its record is anything that was left out.
    assert run("photos", "--out", "photos/r.jsonl").stderr.endswith(result.stderr)
    assert run("-q", "photos", "--out", "photos/r.jsonl").stderr == ""


def test_a_private_report_stays_private(run):
    shutil.copy(CAT, "cat.jpg")
    for name in ("r.json", "r.csv"):
        Path(name).touch(0o600)
        for _ in range(2):
            assert run("cat.jpg", "--out", name).exit_code == 0
            assert Path(name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGTERM, 143, b""),
        (
            signal.SIGINT,
            130,
            b"Interrupted: the same command starts again; no r.json is written.\n",
        ),
    ],
)
def test_a_signal_leaves_no_partial_files(command, many, number, code, said):
    process = subprocess.Popen(
        [*command, "many", "--out", "r.json"], cwd=many.parent, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in many.parent.glob(".r.*.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    assert (process.communicate(timeout=60)[1], process.returncode) == (said, code)
    assert sorted(path.name for path in many.parent.iterdir()) == ["many"]


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_a_reader_that_leaves_is_no_traceback(command, many, form):
    with subprocess.Popen(
        [*command, str(many), "--format", form],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1


def in_terminal(command, folder):
    """What a command writes to a terminal, output and errors alike."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 100))
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave
    )
    os.close(slave)
    written = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # on Linux, the end
            break
        if not part:
            break
        written += part
    process.wait(timeout=60)
    os.close(master)
    return written


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_names_do_not_rule_the_terminal(command, tmp_path, form):
    shutil.copy(CAT, tmp_path / "red\x1b[31m.jpg")
    (tmp_path / "broken\x1b[2J\x9b.jpg").write_bytes(b"broken")
    written = in_terminal([*command, "-q", "--format", form, "."], tmp_path)
    assert b"\x1b" not in written and "\x9b".encode() not in written
    assert b"red" in written and b"broken" in written


def test_progress_knows_how_many_files_a_folder_has(command, many):
    written = in_terminal([*command, "many", "--out", "r.csv"], many.parent)
    assert b"/40 [" in written
    again = in_terminal([*command, "many", "--out", "r.csv"], many.parent)
    assert b"40/40 [" in again
    assert b"Skipped (already in the report): 40" in again


def test_a_folder_that_is_removed_is_an_error(command, many):
    folder = many.parent / "reports"
    folder.mkdir()
    process = subprocess.Popen(
        [*command, "many", "--out", "reports/r.csv"], cwd=many.parent, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    report = folder / "r.csv"
    while not (report.exists() and report.read_bytes().count(b"\n") > 2):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    shutil.rmtree(folder)
    error = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 1
    assert error.startswith("Error: ") and error.count("\n") == 1
    assert "reports/r.csv was deleted or replaced by another program" in error
