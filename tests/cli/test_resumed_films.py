"""A killed run goes on in the middle of a film, and ends with what a whole run has."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import srt
from click.testing import CliRunner

from captioner.cli.caption import main

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
SHOTS = 9


def write_film(path, shots, codec="libx264", rate=10, rotation=0, seconds=2):
    """A film of grey or of pictured shots, each of as many seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = shots[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(len(shots) * seconds * rate):
            frame = av.VideoFrame.from_ndarray(shots[number // (seconds * rate)])
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def greys(count=SHOTS):
    return [np.full((48, 64, 3), 30 if number % 2 else 220, np.uint8) for number in range(count)]


@pytest.fixture
def run(fake_captioner, tmp_path, monkeypatch):
    """Runs `caption`; with `stop`, it is interrupted after as many results."""
    monkeypatch.chdir(tmp_path)
    describe = fake_captioner.describe

    def run(*arguments, stop=None):
        def stopping(self, sources, **options):
            # The real one takes the next sources before it yields the results of the first.
            for number, result in enumerate(describe(self, iter(list(sources)), **options)):
                if number == stop:
                    raise KeyboardInterrupt
                yield result

        monkeypatch.setattr(fake_captioner, "describe", stopping)
        fake_captioner.calls.clear()
        return CliRunner().invoke(main, [*map(str, arguments)])

    return run


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.suffix not in (".mp4", ".run") and path.is_file()
    }


OUTPUTS = {
    "text": ["--out", "captions.txt"],
    "csv": ["--out", "captions.csv"],
    "jsonl": ["--out", "captions.jsonl"],
    "summary": ["--out", "captions.csv", "--summary"],
    "windows": ["--out", "captions.csv", "--every", "1.5"],
    "sidecar": ["--sidecar", "srt"],
    "both": ["--sidecar", "chapters", "--out", "captions.jsonl", "--summary"],
}


@pytest.mark.parametrize("options", OUTPUTS.values(), ids=OUTPUTS)
def test_two_interrupted_runs_and_a_third_one_are_one_run(options, run, fake_captioner, tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        write_film(films / name, greys())
    assert run("films", *options).exit_code == 0
    expected = contents(tmp_path)
    assert expected
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix != ".mp4":
            path.unlink()
    total = len(expected.get("captions.csv", "").splitlines()) - 1 if "csv" in options[-1] else 0
    assert total in (0, 3 * SHOTS, 3 * SHOTS + 3, 36)
    assert run("films", *options, stop=5).exit_code == 130
    assert run("films", *options, stop=SHOTS + 1).exit_code == 130
    assert [path.suffix for path in tmp_path.rglob("*.shots")] == [".shots"]
    last = run("films", *options)
    assert last.exit_code == 0, last.output
    # It began within the second film.
    assert fake_captioner.calls[0] == "-" and "a.mp4" not in fake_captioner.calls
    assert contents(tmp_path) == expected


def test_subtitles_of_one_film_are_resumed(run, fake_captioner, tmp_path):
    write_film(tmp_path / "film.mp4", greys())
    assert run("film.mp4", "--out", "whole.srt").exit_code == 0
    stopped = run("film.mp4", "--out", "film.srt", stop=4)
    assert stopped.exit_code == 130
    assert "the same command resumes here" in stopped.stderr
    assert not Path("film.srt").exists()
    assert run("film.mp4", "--out", "film.srt").exit_code == 0
    assert fake_captioner.calls == ["-"]
    assert Path("film.srt").read_text() == Path("whole.srt").read_text()
    assert not list(tmp_path.glob("*.shots"))


def test_a_run_killed_before_the_summary_describes_no_shot_twice(run, fake_captioner, tmp_path):
    write_film(tmp_path / "film.mp4", greys())
    options = ["film.mp4", "--summary", "--out"]
    assert run(*options, "whole.jsonl").exit_code == 0
    assert run(*options, "film.jsonl", stop=SHOTS).exit_code == 130
    assert run(*options, "film.jsonl").exit_code == 0
    assert Path("film.jsonl").read_text() == Path("whole.jsonl").read_text()
    row = json.loads(Path("film.jsonl").read_text())
    assert len(row["segments"]) == SHOTS
    assert row["caption"] == run("film.mp4", "--whole").stdout.strip().split("\t")[1]


@pytest.mark.parametrize("change", ["film", "options", "overwrite"])
def test_a_changed_film_or_run_begins_anew(change, run, fake_captioner, tmp_path):
    write_film(tmp_path / "film.mp4", greys())
    assert run("film.mp4", "--sidecar", "srt", stop=4).exit_code == 130
    more = {"film": [], "options": ["--max-length", "9"], "overwrite": ["--overwrite"]}[change]
    if change == "film":
        write_film(tmp_path / "film.mp4", greys(7))
    assert run("film.mp4", "--sidecar", "srt", *more).exit_code == 0
    assert fake_captioner.calls == ["film.mp4"]
    cues = list(srt.parse(Path("film.srt").read_text()))
    assert len(cues) == (7 if change == "film" else SHOTS)


def test_a_film_cut_off_at_its_end_has_its_error_after_a_resume(run, tmp_path):
    write_film(tmp_path / "whole.mkv", greys())
    content = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "film.mkv").write_bytes(content[: len(content) * 4 // 5])
    for options in ([], ["--summary"]):
        for name in ("one.jsonl", "two.jsonl"):
            (tmp_path / name).unlink(missing_ok=True)
        assert run("film.mkv", "--out", "one.jsonl", *options).exit_code == 1
        assert "all of film.mkv" in json.loads(Path("one.jsonl").read_text())["error"]
        assert run("film.mkv", "--out", "two.jsonl", *options, stop=4).exit_code == 130
        assert run("film.mkv", "--out", "two.jsonl", *options).exit_code == 1
        assert Path("two.jsonl").read_text() == Path("one.jsonl").read_text()


def test_rows_of_shots_and_a_summary(run, tmp_path):
    write_film(tmp_path / "film.mp4", greys(3))
    shutil.copy(SAMPLES / "cat.jpg", tmp_path)
    result = run("film.mp4", "cat.jpg", "--csv", "--summary")
    rows = [line.split(",")[:4] for line in result.stdout.splitlines()[1:]]
    assert rows == [
        ["film.mp4", "0.0", "2.0", "a bright picture"],
        ["film.mp4", "2.0", "4.0", "a dark picture"],
        ["film.mp4", "4.0", "6.0", "a bright picture"],
        ["film.mp4", "", "", "a bright picture"],
        ["cat.jpg", "", "", "a dark picture"],
    ]
    assert run("film.mp4", "--whole", "--summary").exit_code == 2
    # Subtitles and chapters are of shots.
    assert len(list(srt.parse(run("film.mp4", "--format", "srt", "--summary").stdout))) == 3
    chapters = json.loads(run("film.mp4", "--format", "chapters", "--summary").stdout)
    assert [chapter["startTime"] for chapter in chapters["chapters"]] == [0, 2, 4]
    assert chapters["description"] == "a bright picture"


def pictures(names, size):
    from PIL import Image

    opened = (Image.open(SAMPLES / f"{name}.jpg").convert("RGB").resize(size) for name in names)
    return [np.asarray(image) for image in opened]


@pytest.mark.slow
def test_twelve_films_killed_twice_have_each_cue_once(tiny_preset, tmp_path):
    """Films of different containers, codecs, rates, rotations and lengths, by the real network."""
    names = ("cat", "rocket", "coffee", "shepherd", "street", "room", "balloon", "pagoda")
    forms = [
        *(("a.mp4", "libx264", 25, 0), ("b.mkv", "libx264", 24, 0), ("c.mov", "libx264", 30, 90)),
        *(
            ("d.avi", "mpeg4", 15, 0),
            ("e.webm", "libvpx-vp9", 10, 0),
            ("f.ts", "mpeg2video", 25, 0),
        ),
        *(("g.mpg", "mpeg2video", 25, 0), ("h.flv", "flv", 20, 0), ("i.wmv", "wmv2", 12, 0)),
        *(("j.m4v", "libx264", 60, 180), ("k.mp4", "libx265", 8, -90), ("l.mov", "mjpeg", 5, 0)),
    ]
    films = tmp_path / "films"
    (films / "more").mkdir(parents=True)
    lengths = {}
    for number, (name, codec, rate, rotation) in enumerate(forms):
        shots = pictures([names[(number + i) % len(names)] for i in range(3 + number)], (96, 64))
        path = (films / "more" if number % 3 == 0 else films) / name
        write_film(path, shots, codec, rate, rotation)
        lengths[path.name] = 2 * len(shots)
    whole = tmp_path / "whole"
    shutil.copytree(films, whole)
    code = "from captioner.cli.caption import main; main(prog_name='caption')"
    options = ["--recursive", "--sidecar", "srt", "--preset", str(tiny_preset), "--batch-size", "1"]

    def command(folder):
        return [sys.executable, "-c", code, str(folder), *options]

    def sidecars(folder):
        # A killed run may leave a hidden temporary file.
        found = [p for p in sorted(folder.rglob("*.srt")) if not p.name.startswith(".")]
        return {str(p.relative_to(folder)): p.read_text() for p in found}

    subprocess.run(command(whole), check=True, capture_output=True)
    for least in (2, 6):
        killed = subprocess.Popen(command(films), stdout=subprocess.DEVNULL)
        while True:
            assert killed.poll() is None
            journal = next(films.rglob(".*.shots"), None)
            if len(sidecars(films)) >= least and journal is not None:
                size = journal.stat().st_size if journal.exists() else 0
                if size > 600:
                    break
            time.sleep(0.002)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        assert least <= len(sidecars(films)) < 12
    last = subprocess.run(command(films), capture_output=True, text=True, check=True)
    assert not list(films.rglob(".*.shots"))
    assert len(sidecars(films)) == 12
    assert sidecars(films) == sidecars(whole)
    assert last.stderr.startswith("Skipped (already have a .srt file): ")
    for name, text in sidecars(films).items():
        cues = list(srt.parse(text))
        spans = [(cue.start, cue.end) for cue in cues]
        assert len(set(spans)) == len(spans) >= 3, name
        assert spans[0][0].total_seconds() == 0
        assert all(one[1] == other[0] for one, other in pairwise(spans)), name
        media = next(p for p in films.rglob(f"{Path(name).stem}.*") if p.suffix != ".srt")
        assert abs(spans[-1][1].total_seconds() - lengths[media.name]) < 0.3, name
