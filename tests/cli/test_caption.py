import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import srt
from click.testing import CliRunner

from captioner.captioner import Captioner
from captioner.cli.caption import main

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
NAMES = ["astronaut.jpg", "cat.jpg", "coffee.jpg", "pagoda.jpg", "photographer.jpg", "rocket.jpg"]
FILM = SAMPLES / "shepherd_and_cat.mp4"
# `caption` as the shell starts it, Ctrl-C included where the tests run in the background.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from captioner.cli.caption import main; main(prog_name='caption')"
)


@pytest.fixture(scope="module")
def captioner(tiny_preset):
    return Captioner.from_preset(tiny_preset, precision="float32")


@pytest.fixture(scope="module")
def expected(captioner):
    """The caption of each sample by the Python interface."""
    found = captioner.generate([str(SAMPLES / name) for name in NAMES])
    captions = {name: caption.text for name, caption in zip(NAMES, found, strict=True)}
    assert len(set(captions.values())) > 2
    return captions


@pytest.fixture
def run(tiny_preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **options):
        preset = ["--preset", str(tiny_preset), "--precision", "float32"]
        return CliRunner().invoke(main, [*preset, *map(str, arguments)], **options)

    return run


def start(tiny_preset, *arguments, **options):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-c", COMMAND, "--preset", str(tiny_preset), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, **options)


@pytest.mark.slow
def test_one_file_gives_its_caption_alone(run, expected):
    result = run(SAMPLES / "cat.jpg")
    assert (result.stdout, result.stderr, result.exit_code) == (expected["cat.jpg"] + "\n", "", 0)


def test_several_give_paths_and_say_what_is_wrong_on_stderr(run, expected):
    Path("photos/trip").mkdir(parents=True)
    for name in NAMES:
        shutil.copy(SAMPLES / name, "photos/trip")
    Path("photos/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    flat = run("photos/trip/c*.jpg", "photos", "photos/trip/cat.jpg")
    assert flat.stdout.splitlines() == [
        f"photos/trip/{name}\t{expected[name]}" for name in ("cat.jpg", "coffee.jpg")
    ]
    assert flat.stderr.startswith("cannot read photos/broken.png")
    assert flat.stderr.splitlines()[1:] == ["Left out: subfolders (1; --recursive searches them)"]
    assert flat.exit_code == 1


def test_json_has_errors_and_every_caption(run, captioner):
    paths = [str(SAMPLES / name) for name in NAMES]
    options = ["-n", "3", "--beam-width", "4", "--max-length", "3", "--json"]
    result = run(*options, *paths, "no.jpg")
    *rows, error = json.loads(result.stdout)
    assert list(error) == ["path", "error"]
    assert error["path"] == "no.jpg"
    assert "no such file" in error["error"]
    assert result.exit_code == 1
    assert result.stderr == "1 of 7 files have an error: see their rows\n"
    found = captioner.generate(paths, num_captions=3, beam_width=4, max_length=3)
    for row, path, best in zip(rows, paths, found, strict=True):
        said = [(each["caption"], each["log_prob"]) for each in row["captions"]]
        every = (best, *best.alternatives)
        assert len(every) == 3
        assert said == [(each.text, pytest.approx(each.log_prob, abs=1e-3)) for each in every]
        assert (row["path"], row["caption"], row["log_prob"]) == (path, *said[0])
        assert max(len(caption.split()) for caption, _ in said) <= 3


def test_paths_from_standard_input_of_any_bytes(run, expected):
    odd = [b'a "quote", \xc3\xa9.jpg', b"\xff.jpg", b"-.jpg", b"photos"]
    Path("photos").mkdir()
    for name in odd[:3]:
        shutil.copy(SAMPLES / "cat.jpg", os.fsdecode(name))
    result = run("--csv", "-q", "-", input=b"\r\n".join([*odd, b"", b"gone \xfe.jpg"]))
    table = io.StringIO(result.stdout_bytes.decode("utf-8", "surrogateescape"), newline="")
    rows = [(row["path"], row["caption"], bool(row["error"])) for row in csv.DictReader(table)]
    cat = expected["cat.jpg"]
    # In a spreadsheet "-.jpg" would be a formula.
    captions = [(os.fsdecode(name).replace("-.jpg", "'-.jpg"), cat, False) for name in odd[:3]]
    errors = [("photos", "", True), (os.fsdecode(b"gone \xfe.jpg"), "", True)]
    assert rows == captions + errors
    assert (result.stderr, result.exit_code) == ("", 1)


def test_out_is_gone_on_with(run, expected):
    for name in ("cat.jpg", "coffee.jpg"):
        shutil.copy(SAMPLES / name, name)
    assert run("cat.jpg", "rocket.jpg", "--out", "captions.jsonl").exit_code == 1
    first, error = Path("captions.jsonl").read_text().splitlines()
    assert json.loads(error)["path"] == "rocket.jpg"

    shutil.copy(SAMPLES / "rocket.jpg", "rocket.jpg")
    with Path("captions.jsonl").open("a") as report:
        report.write('{"path": "coffee.jpg", "caption": "a ha')
    result = run(".", "rocket.jpg", "--out", "captions.jsonl")
    assert result.exit_code == 0
    assert result.output == "Skipped (already in the report): 1\n"
    rows = [json.loads(line) for line in Path("captions.jsonl").read_text().splitlines()]
    assert rows[0] == json.loads(first)
    assert [(Path(row["path"]).name, row["caption"]) for row in rows] == [
        (name, expected[name]) for name in ("cat.jpg", "coffee.jpg", "rocket.jpg")
    ]

    before = Path("captions.jsonl").stat()
    assert run(".", "--out", "captions.jsonl").exit_code == 0
    assert Path("captions.jsonl").stat().st_size == before.st_size
    assert run("cat.jpg", "--out", "captions.jsonl", "--overwrite").exit_code == 0
    assert Path("captions.jsonl").read_text() == first + "\n"


@pytest.mark.slow
def test_a_killed_or_interrupted_run_loses_nothing(run, tiny_preset):
    Path("many").mkdir()
    for number in range(30):
        shutil.copy(SAMPLES / "cat.jpg", f"many/{number}.jpg")
    arguments = ["many", "--batch-size", "1", "--out", "captions.csv"]
    process = start(tiny_preset, *arguments)
    deadline = time.monotonic() + 120
    report = Path("captions.csv")
    while not (report.exists() and report.read_bytes().count(b"\n") > 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)
    said = b"Interrupted: the same command resumes here.\n"
    assert (process.returncode, *output) == (130, b"", said)
    begun = report.read_text().splitlines()
    assert 3 <= len(begun) < 31

    assert run("many", "--out", "captions.csv").exit_code == 0
    rows = report.read_text().splitlines()
    assert rows[: len(begun)] == begun
    with report.open() as table:
        paths = [row["path"] for row in csv.DictReader(table)]
    assert paths == [f"many/{number}.jpg" for number in range(30)]


def test_the_command_is_silent_but_for_captions_and_ends_with_its_reader(tiny_preset):
    many = [str(SAMPLES / name) for name in NAMES] + ["missing.jpg"]
    with start(tiny_preset, *many, "--jsonl", "--batch-size", "1", bufsize=0) as process:
        row = json.loads(process.stdout.readline())
        process.stdout.close()
        assert process.stderr.read() == b""
        assert row["path"] == many[0]
        assert process.wait(timeout=60) == 1


@pytest.mark.slow
def test_a_film_gives_a_sentence_a_shot(run):
    lines = run(FILM).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        "0:00:00.0-0:00:02.0",
        "0:00:02.0-0:00:04.0",
    ]
    (whole,) = json.loads(run(FILM, "--json", "--whole").stdout)
    assert [(shot["start"], shot["end"]) for shot in whole["segments"]] == [(0, 4)]
    rows = csv.DictReader(io.StringIO(run(FILM, "--csv", "--every", "3").stdout))
    assert [(row["start"], row["end"]) for row in rows] == [("0.0", "3.0"), ("3.0", "4.0")]
    result = run(FILM, "--format", "srt", "--out", "film.srt")
    assert (result.output, result.exit_code) == ("", 0)
    cues = list(srt.parse(Path("film.srt").read_text()))
    assert [cue.content for cue in cues] == [line.split("\t")[1] for line in lines]
    assert [cue.start.total_seconds() for cue in cues] == [0, 2]


def test_what_can_have_no_subtitles(run):
    several = run(FILM, SAMPLES / "cat.jpg", "--out", "both.vtt")
    assert (several.exit_code, "of one video" in several.stderr) == (2, True)
    picture = run(SAMPLES / "cat.jpg", "--out", "cat.vtt")
    assert (picture.exit_code, "is an image" in picture.stderr) == (1, True)
    assert list(Path().iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["caption", "describe_videos"])
def test_a_batch_of_films_is_killed_and_gone_on_with(tiny_preset, tmp_path, command):
    for number in range(12):
        (tmp_path / "films" / str(number % 2)).mkdir(parents=True, exist_ok=True)
        shutil.copy(FILM, tmp_path / "films" / str(number % 2) / f"{number}.mp4")
    (tmp_path / "films" / "broken.mp4").write_bytes(b"broken")
    if command == "caption":
        arguments = [sys.executable, "-c", COMMAND, "--recursive"]
    else:
        arguments = [sys.executable, Path("scripts/describe_videos.py").resolve()]
    arguments += ["--preset", str(tiny_preset), "films", "--out", "captions.jsonl"]
    report = tmp_path / "captions.jsonl"
    options = {"cwd": tmp_path, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(arguments, **options)
    deadline = time.monotonic() + 120
    while not (report.exists() and report.read_bytes().count(b"\n") > 2):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    begun = report.read_text().splitlines()
    assert 3 <= len(begun) < 13

    assert subprocess.run(arguments, **options).returncode == (command == "caption")
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    assert [len(row.get("segments", [])) for row in rows].count(2) == 12
    assert len({row["path"] for row in rows}) == len(rows) == 13
    done = [json.loads(line) for line in begun if line.endswith("]}")]
    assert [row for row in rows if "segments" in row][: len(done)] == done


USAGE_ERRORS = {
    "": "No images",
    "-": "standard input lists none",
    "cat.jpg --no-such-option": "No such option",
    "cat.jpg --num-captions 0": "--num-captions",
    "cat.jpg --beam-width 0": "--beam-width",
    "cat.jpg --max-length 0": "--max-length",
    "cat.jpg --batch-size 0": "--batch-size",
    "cat.jpg --precision int8": "--precision",
    "cat.jpg --format xml": "--format",
    "cat.jpg --every 0": "--every",
    "cat.jpg --every 5 --whole": "--whole and --every at once",
    "cat.jpg --json --csv": "Two formats at once, csv and json",
    "cat.jpg --format text --jsonl": "Two formats at once, jsonl and text",
    "cat.jpg --preset no_such_preset": "there is no such preset",
    "cat.jpg --out no_folder/captions.csv": "cannot write no_folder/captions.csv",
    "cat.jpg --out cat.jpg": "cat.jpg: no format has the suffix .jpg",
    "cat.jpg --out .": "--out",
}


def test_usage_errors_come_before_tensorflow(tiny_preset, tmp_path):
    shutil.copy(SAMPLES / "cat.jpg", tmp_path)
    code = """
import json, sys
from captioner.cli.caption import main
heavy = ["tensorflow", "keras", "numpy", "PIL", "av"]
assert not set(heavy) & set(sys.modules), "importing captioner.cli.caption is not cheap"
for line in json.loads(sys.argv[1]):
    preset = [] if "--preset" in line else ["--preset", sys.argv[2]]
    try:
        main(preset + line.split(), prog_name="caption")
    except SystemExit as end:
        print(end.code, "tensorflow" in sys.modules, file=sys.stderr)
    print("====", file=sys.stderr)
"""
    command = [sys.executable, "-c", code, json.dumps(list(USAGE_ERRORS)), str(tiny_preset)]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    answers = done.stderr.split("====\n")[:-1]
    assert done.stdout == ""
    for answer, reason in zip(answers, USAGE_ERRORS.values(), strict=True):
        assert reason in answer
        assert answer.endswith("\n2 False\n")
    assert (tmp_path / "cat.jpg").read_bytes() == (SAMPLES / "cat.jpg").read_bytes()


def test_a_damaged_preset_is_named(tiny_preset, tmp_path):
    broken = shutil.copytree(tiny_preset, tmp_path / "broken")
    (broken / "README.md").write_text("another card")
    result = CliRunner().invoke(main, ["--preset", str(broken), str(SAMPLES / "cat.jpg")])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: preset {broken}: README.md was changed")


def test_version_and_help():
    assert CliRunner().invoke(main, ["--version"]).stdout.startswith("caption, version 0.")
    assert "caption --recursive photos --out captions.jsonl" in (
        CliRunner().invoke(main, ["-h"]).stdout
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_timeout_gives_up_a_file_and_the_process_ends(tiny_preset, tmp_path):
    """A pipe with a writer that writes nothing is waited for for a minute."""
    os.mkfifo(tmp_path / "slow.jpg")
    writer = os.open(tmp_path / "slow.jpg", os.O_RDWR)
    files = [str(tmp_path / "slow.jpg"), str(SAMPLES / "cat.jpg")]
    command = [sys.executable, "-c", COMMAND, *files]
    command += ["--preset", str(tiny_preset), "--timeout", "1", "--jsonl"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    finally:
        os.close(writer)
    assert done.returncode == 1, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert "takes longer than 1 seconds" in rows[0]["error"]
    assert rows[1]["caption"]


def test_examples_in_the_help_have_lines_of_their_own():
    lines = CliRunner().invoke(main, ["--help"]).output.splitlines()
    assert "  caption dog.jpg" in lines
    assert "  caption --recursive photos --out captions.jsonl" in lines
