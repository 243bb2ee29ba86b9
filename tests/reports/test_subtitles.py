import io
from datetime import timedelta
from itertools import pairwise

import pytest
import srt
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.reports.output import open_report
from captioner.reports.subtitles import SubtitleWriter
from captioner.reports.text import format_time
from captioner.results import Caption

words = st.text("aébc&<>-'0", min_size=1, max_size=6)
# Shots follow one another.
films = st.lists(
    st.tuples(st.floats(1.01, 4000), st.lists(words, min_size=1, max_size=8)),
    min_size=1,
    max_size=6,
)


def shots_of(film):
    start, shots = 0.0, []
    for seconds, said in film:
        span = (start, start + seconds)
        shots.append(Caption(" ".join(said), tuple(said), -1.0, -0.5, span=span))
        start += seconds
    return shots


def write(form, shots):
    stream = io.BytesIO()
    writer = SubtitleWriter(stream, form)
    for index, shot in enumerate(shots):
        writer.write("film.mp4", shot, index == len(shots) - 1)
    writer.close()
    return stream.getvalue().decode()


@settings(deadline=None, max_examples=80)
@given(film=films)
def test_webvtt_by_another_parser(film):
    shots = shots_of(film)
    cues = webvtt.from_buffer(io.StringIO(write("vtt", shots))).captions
    assert len(cues) == len(shots)
    for cue, shot in zip(cues, shots, strict=True):
        raw = cue.raw_text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert raw == shot.text
        # The parser drops what looks like a tag; nothing of ours may.
        assert "<" not in cue.raw_text
        start, end = cue.start_in_seconds, cue.end_in_seconds
        assert shot.span[0] - 1 <= start <= end <= shot.span[1] + 1
        assert cue.start < cue.end


@settings(deadline=None, max_examples=80)
@given(film=films)
def test_subrip_by_another_parser(film):
    shots = shots_of(film)
    cues = list(srt.parse(write("srt", shots), ignore_errors=False))
    assert [cue.index for cue in cues] == list(range(1, len(shots) + 1))
    for cue, shot in zip(cues, shots, strict=True):
        assert cue.content == shot.text
        assert abs(cue.start.total_seconds() - shot.span[0]) <= 0.0006
        assert abs(cue.end.total_seconds() - shot.span[1]) <= 0.0021
        assert cue.start < cue.end


@settings(deadline=None, max_examples=200)
@given(lengths=st.lists(st.floats(0, 3), min_size=1, max_size=12))
def test_every_cue_of_short_shots_can_be_read(lengths):
    shots = shots_of([(length, [f"shot{i}"]) for i, length in enumerate(lengths)])
    cues = list(srt.parse(write("srt", shots), ignore_errors=False))
    spans = [(cue.start.total_seconds(), cue.end.total_seconds()) for cue in cues]
    assert spans[0][0] == 0 and spans[-1][1] == pytest.approx(max(sum(lengths), 0.001), abs=0.002)
    for (_, end), (start, _) in pairwise(spans):
        assert end == pytest.approx(start, abs=0.002)
    if sum(lengths) > 1:
        assert all(end - start >= 0.997 for start, end in spans)
    for cue, (start, end) in zip(cues, spans, strict=True):
        within = [
            (shot.span[1] - shot.span[0], shot.text)
            for shot in shots
            if shot.span[0] >= start - 0.002 and shot.span[1] <= end + 0.002
        ]
        longest = max(length for length, _ in within)
        assert (pytest.approx(longest, abs=1e-6), cue.content) in within
    # A shot that can be read has its own text.
    said = {cue.content for cue in cues}
    if len(cues) == len(lengths):
        assert said == {shot.text for shot in shots}


def test_a_short_shot_before_a_gap_stays_longer():
    spans = [(0.0, 0.4), (3.0, 3.4), (3.7, 6.0)]
    shots = [Caption(f"shot{i}", (), -1.0, -0.5, span=span) for i, span in enumerate(spans)]
    cues = [
        (cue.start.total_seconds(), cue.end.total_seconds())
        for cue in srt.parse(write("srt", shots))
    ]
    assert cues == [(0.0, 1.0), (3.0, 3.7), (3.7, 6.0)]


@settings(deadline=None)
@given(seconds=st.floats(0, 10**6))
def test_times_by_datetime(seconds):
    hours, minutes, rest = format_time(seconds, decimals=3, hour_digits=2).split(":")
    read = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(rest))
    assert abs(read.total_seconds() - seconds) <= 0.0006
    assert float(rest) < 60


def test_pictures_and_several_films_have_no_subtitles(tmp_path):
    report = tmp_path / "film.vtt"
    shot = Caption("a dog", ("a", "dog"), -1.0, -0.5, span=(0.0, 1.0))
    with pytest.raises(CaptionerError, match="one video"), open_report(report, "vtt") as writer:
        writer.write("a.mp4", shot)
        writer.write("b.mp4", shot)
    picture = Caption("a dog", ("a", "dog"), -1.0, -0.5)
    with pytest.raises(CaptionerError, match="is an image"), open_report(report, "srt") as writer:
        writer.write("a.jpg", picture)
    assert list(tmp_path.iterdir()) == []
    with open_report(report, "vtt") as writer:
        writer.write("a.mp4", shot, last=False)
        writer.write("a.mp4", CaptionerError("it breaks off"))
    assert report.read_text() == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na dog\n\n"
