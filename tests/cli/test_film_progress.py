"""Hours of film that are described, and those that there are."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from captioner.cli.film_progress import FilmProgress, stated_seconds
from captioner.cli.film_sources import FileResult
from captioner.results import Caption

FILM = Path(__file__).parents[2] / "data" / "samples" / "shepherd_and_cat.mp4"  # of 4 seconds


class Bar:
    disable = False

    def __init__(self):
        self.postfix, self.n = "", 0

    def set_postfix_str(self, text, refresh):
        self.postfix = text

    def update(self, n=1):
        self.n += n


def result(path, end, last, frames=8):
    said = Caption("a dog", ("a", "dog"), -1.0, -0.5, span=None if end is None else (0.0, end))
    return FileResult(str(path), said, last, frames)


@pytest.fixture
def films(tmp_path):
    for number in range(900):  # an hour
        (tmp_path / f"{number}.mp4").symlink_to(FILM)
    shutil.copy(FILM.with_name("cat.jpg"), tmp_path)
    return sorted(tmp_path.iterdir())


def test_hours_of_a_batch(films, monkeypatch):
    monkeypatch.setattr("captioner.cli.film_progress.stated_seconds", lambda path: 4.0)
    bar = Bar()
    progress = FilmProgress(bar, lambda: map(str, films))
    progress._thread.join()
    assert progress.hours() == "0.00 of 1.00 h of film"
    names = [path for path in films if path.suffix == ".mp4"]
    for path in names[:450]:
        progress.skip(str(path))
    assert bar.postfix == "0.50 of 1.00 h of film, 0 frames"
    for path in names[450:630]:
        progress.add(result(path, 2.0, last=False))
        progress.add(result(path, 4.0, last=True))
    progress.add(result(films[-1].parent / "cat.jpg", None, last=True, frames=1))
    assert bar.postfix == "0.70 of 1.00 h of film, 2881 frames"
    assert bar.n == 631
    progress.finish()


def test_the_middle_of_a_long_film(monkeypatch):
    monkeypatch.setattr("captioner.cli.film_progress.stated_seconds", lambda path: 7200.0)
    progress = FilmProgress(Bar(), lambda: ["a.mp4", "b.mkv", "c.jpg"])
    progress._thread.join()
    progress.add(result("a.mp4", 1800.0, last=False))
    assert progress.hours() == "0.50 of 4.00 h of film"
    progress.add(result("a.mp4", 7200.0, last=False))
    progress.add(result("a.mp4", None, last=True))  # a sentence about all of it
    progress.add(result("b.mkv", 360.0, last=False))
    assert progress.hours() == "2.10 of 4.00 h of film"


def test_no_film_and_no_bar():
    assert FilmProgress(Bar(), lambda: ["a.jpg"]).hours() == ""
    silent = FilmProgress(SimpleNamespace(disable=True), lambda: [str(FILM)])
    assert silent._thread is None
    assert stated_seconds(str(FILM)) == 4.0
    assert stated_seconds(str(FILM.with_name("cat.jpg"))) is None
