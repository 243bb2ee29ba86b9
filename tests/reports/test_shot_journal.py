"""The journal of an unfinished film gives back what it was given, or less, but nothing else."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.reports.run_record import Settings
from captioner.reports.shot_journal import ShotJournal
from captioner.results import Caption

RUN = Settings("tiny", "12ab", {"--num-captions": 2})


def shot(number, start, end):
    other = Caption("ein Hünd", ("ein", "Hünd"), -2.125, -1.0, span=(start, end))
    return Caption(
        f"shot {number}",
        ("shot", str(number)),
        -1 / 3 - number,
        -0.1,
        span=(start, end),
        confidence=0.123456,
        alternatives=(other,),
    )


@pytest.fixture
def film(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"film")
    return str(tmp_path / "film.mp4")


def shots(ends):
    return [shot(i, *pair) for i, pair in enumerate(zip([0.0, *ends], ends, strict=False))]


@limits(deadline=None, max_examples=40)
@given(
    gaps=st.lists(st.floats(0.05, 9.0), min_size=1, max_size=6),
    cut=st.floats(0, 1),
)
def test_a_journal_cut_at_any_byte_has_the_first_shots(gaps, cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journal")
    (folder / "film.mp4").write_bytes(b"film")
    film = str(folder / "film.mp4")
    ends = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    written = shots(ends)
    with ShotJournal(RUN) as journal:
        for each in written:
            journal.add(film, each, last=False)
    (place,) = folder.glob(".*.shots")
    content = place.read_bytes()
    place.write_bytes(content[: round(cut * len(content))])
    again = ShotJournal(RUN)
    first = again.resume(film)
    known = list(again.earlier(film))
    assert known == written[: len(known)]
    assert len(known) == len(written) if cut == 1 else len(known) <= len(written)
    if known:  # the first frame of the next shot, of four a second
        assert (first - 1) / 4 < ends[len(known) - 1] <= first / 4
    else:
        assert first == 0
    # Going on with the others makes the same journal.
    for each in written[len(known) :]:
        again.add(film, each, last=False)
    again.close()
    if known and len(known) < len(written):
        assert place.read_bytes() == content
    again.add(film, written[-1], last=True)
    assert not place.exists()


def test_one_journal_for_a_report_is_of_one_film_at_a_time(film, tmp_path):
    other = str(tmp_path / "other.mp4")
    (tmp_path / "other.mp4").write_bytes(b"other")
    place = tmp_path / "captions.csv.shots"
    with ShotJournal(RUN, place) as journal:
        journal.add(film, shot(0, 0.0, 2.0), last=False)
        journal.add(film, shot(1, 2.0, 3.0), last=True)
        assert not place.exists()
        journal.add(other, shot(0, 0.0, 1.0), last=False)
    again = ShotJournal(RUN, place)
    assert (again.resume(film), again.resume(other)) == (0, 4)
    again.forget(film)
    assert place.exists()
    again.add(other, shot(1, 1.0, 3.0), last=True)
    assert not place.exists()


def test_windows_are_counted(film):
    with ShotJournal(RUN, every=1.5) as journal:
        journal.add(film, shot(0, 0.0, 1.5), last=False)
        journal.add(film, shot(1, 1.5, 3.0), last=False)
    assert ShotJournal(RUN, every=1.5).resume(film) == 2


@pytest.mark.parametrize("change", ["content", "time", "settings", "gap", "garbage"])
def test_what_does_not_fit_is_not_taken(change, film, tmp_path):
    with ShotJournal(RUN) as journal:
        journal.add(film, shot(0, 0.0, 2.0), last=False)
        journal.add(film, shot(1, 2.5 if change == "gap" else 2.0, 3.0), last=False)
    (place,) = tmp_path.glob(".*.shots")
    run = RUN
    if change == "content":
        (tmp_path / "film.mp4").write_bytes(b"another")
    elif change == "time":
        os.utime(film, (1, 1))
    elif change == "settings":
        run = replace(RUN, options={})
    elif change == "garbage":
        place.write_bytes(b"\xff\n[]\n{}\n")
    again = ShotJournal(run)
    assert again.resume(film) == (8 if change == "gap" else 0)
    assert len(list(again.earlier(film))) == (1 if change == "gap" else 0)


def test_images_errors_and_unwritable_folders_have_none(film, tmp_path):
    image = replace(shot(0, 0.0, 1.0), span=None, alternatives=())
    with ShotJournal(RUN) as journal:
        journal.add(film, image, last=False)
        journal.add(film, CaptionerError("no sentence"), last=False)
        assert not list(tmp_path.glob(".*.shots"))
        journal.add(str(tmp_path / "missing" / "film.mp4"), shot(0, 0.0, 1.0), last=False)
    with ShotJournal(RUN, tmp_path / "missing" / "report.shots") as journal:
        journal.add(film, shot(0, 0.0, 1.0), last=False)
        journal.add(film, shot(1, 1.0, 2.0), last=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4"]
