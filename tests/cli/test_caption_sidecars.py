import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import srt
from click.testing import CliRunner
from PIL import Image

from captioner.cli.caption import main
from captioner.metadata.xmp import read_texts

FILM = Path(__file__).parents[2] / "data" / "samples" / "shepherd_and_cat.mp4"
DARK, BRIGHT = "a dark picture", "a bright picture"


@pytest.fixture
def run(fake_captioner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("trip").mkdir()
    for name, colour in (("photos.jpg", "white"), ("trip/a.jpg", "black"), ("trip/b.png", "white")):
        Image.new("RGB", (16, 16), colour).save(name)
    return lambda *arguments: CliRunner().invoke(main, [*map(str, arguments)])


def texts(suffix):
    return {str(path): path.read_text() for path in sorted(Path().rglob(f"*{suffix}"))}


def test_a_text_beside_each_picture_and_only_what_is_new(run, fake_captioner):
    result = run("-r", ".", "--sidecar", "txt")
    assert result.stdout.splitlines() == [
        f"./photos.jpg\t{BRIGHT}",
        f"./trip/a.jpg\t{DARK}",
        f"./trip/b.png\t{BRIGHT}",
    ]
    assert (result.stderr, result.exit_code) == ("", 0)
    assert texts(".txt") == {
        "photos.txt": f"{BRIGHT}\n",
        "trip/a.txt": f"{DARK}\n",
        "trip/b.txt": f"{BRIGHT}\n",
    }
    Path("trip/a.txt").write_text("Rex")
    Path("trip/b.txt").unlink()
    fake_captioner.calls.clear()
    again = run("-r", ".", "--sidecar", "txt")
    assert fake_captioner.calls == ["b.png"]
    assert again.stderr == "Skipped (already have a .txt file): 2\n"
    assert Path("trip/a.txt").read_text() == "Rex"
    run("-r", ".", "--sidecar", "txt", "--prepend")
    assert Path("trip/a.txt").read_text() == f"{DARK} Rex\n"
    run("-r", ".", "--sidecar", "txt", "--overwrite")
    assert Path("trip/a.txt").read_text() == f"{DARK}\n"


def test_several_destinations_at_once(run, fake_captioner):
    result = run("trip", "--sidecar", "json", "--sidecar", "xmp", "--embed", "--out", "r.jsonl")
    assert (result.output, result.exit_code) == ("", 0)
    assert json.loads(Path("trip/a.json").read_text())["path"] == "a.jpg"
    assert read_texts(Path("trip/b.png.xmp").read_bytes())["alt"] == BRIGHT
    for path in (Path("trip/a.jpg"), Path("trip/b.png")):
        with Image.open(path) as image:
            assert str(image.getxmp()).count("picture") == 2
    assert len(Path("r.jsonl").read_text().splitlines()) == 2
    fake_captioner.calls.clear()
    Path("trip/b.json").unlink()
    assert run("trip", "--sidecar", "json").exit_code == 0
    assert fake_captioner.calls == ["b.png"]


def test_two_films_with_a_format_of_subtitles_get_a_file_each(run):
    for name in ("one.mp4", "two.mp4"):
        shutil.copy(FILM, name)
    result = run("one.mp4", "two.mp4", "--format", "srt")
    assert result.exit_code == 0
    assert result.stdout.startswith("one.mp4\t0:00:00.0-")
    for name in ("one.srt", "two.srt"):
        assert len(list(srt.parse(Path(name).read_text()))) == 2
    refused = run("one.mp4", "two.mp4", "--out", "both.srt")
    assert refused.exit_code == 2
    assert "each video gets a file beside it" in refused.stderr


def test_what_cannot_be_written_stops_nothing(run):
    Path("trip/a.txt").mkdir()
    Path("trip/broken.jpg").write_bytes(b"\xff\xd8\xff")
    result = run("trip", "--sidecar", "txt", "--embed")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith("cannot read trip/a.txt")
    assert lines[1].startswith("cannot read trip/broken.jpg (a damaged JPEG")
    assert Path("trip/b.txt").read_text() == f"{BRIGHT}\n"
    assert not Path("trip/broken.txt").exists()


def test_formats_without_metadata_are_counted(run, fake_captioner):
    Image.new("RGB", (16, 16)).save("trip/c.gif")
    shutil.copy(FILM, "trip")
    result = run("trip", "--embed")
    assert fake_captioner.calls == ["a.jpg", "b.png"]
    assert result.stderr.startswith("Not embedded: .gif (1), .mp4 (1);")
    assert run("trip", "--embed").stderr.startswith("Skipped (already contain a description): 2\n")


def test_what_a_folder_holds_besides_is_counted_or_tried(run):
    for name in ("drawing", "other"):
        Path(f"trip/{name}.svg").write_text("<svg/>")
    Path("trip/photo.data").write_bytes(Path("trip/a.jpg").read_bytes())
    result = run("trip")
    assert result.stderr == "Left out: .svg (2), .data (1)\n"
    everything = run("trip", "--all-files")
    assert everything.stdout.count("\n") == 3
    assert everything.stderr.startswith("cannot read trip/drawing.svg (an SVG drawing)")
    assert everything.exit_code == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--append", "--append is for --sidecar txt or xmp, or --embed"),
        ("--sidecar txt --append --prepend", "--append and --prepend at once"),
        ("--embed --append --overwrite", "--append and --overwrite at once"),
        ("--sidecar json --append", "--append is for --sidecar txt or xmp"),
        ("--sidecar json --sidecar txt --prepend", "--prepend has no meaning for --sidecar json"),
        ("--sidecar-names full", "--sidecar-names is for --sidecar"),
        ("--sidecar doc", "'doc' is not one of"),
    ],
)
def test_options_that_mean_nothing(run, options, reason):
    result = run("trip", *options.split())
    assert result.exit_code == 2
    assert reason in result.stderr
    assert not list(Path("trip").glob("[0-9]*.txt"))


def test_a_killed_run_goes_on(tiny_preset, tmp_path):
    for number in range(40):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"{number}.jpg")
    code = "from captioner.cli.caption import main; main(prog_name='caption')"
    options = ["--preset", str(tiny_preset), "--batch-size", "1", "--sidecar", "txt"]
    command = [sys.executable, "-c", code, str(tmp_path), *options]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while len(list(tmp_path.glob("[0-9]*.txt"))) < 3:
        assert first.poll() is None
        time.sleep(0.002)
    first.send_signal(signal.SIGKILL)
    first.wait()
    done = sorted(tmp_path.glob("[0-9]*.txt"))
    before = {path: (path.stat().st_mtime_ns, path.read_text()) for path in done}
    assert 3 <= len(done) < 40
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(second.stdout.splitlines()) == 40 - len(done)
    assert {path: (path.stat().st_mtime_ns, path.read_text()) for path in done} == before
    assert {path.stem for path in tmp_path.glob("[0-9]*.txt")} == set(map(str, range(40)))
    for path in tmp_path.glob("[0-9]*.txt"):
        assert path.read_text().strip()
