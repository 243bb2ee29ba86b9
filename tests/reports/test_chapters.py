import io
import json

import pytest

from captioner.errors import CaptionerError
from captioner.reports.chapters import ChapterWriter
from captioner.reports.output import format_of, open_report
from captioner.results import Caption


def shot(text, start, end, **fields):
    span = None if start is None else (start, end)
    return Caption(text, tuple(text.split()), -1.0, -0.5, span=span, **fields)


def chapters(*results, path="film.mp4"):
    stream = io.BytesIO()
    writer = ChapterWriter(stream)
    for number, result in enumerate(results, start=1):
        writer.write(path, result, number == len(results))
    writer.close()
    return json.loads(stream.getvalue())


def test_a_chapter_a_shot_and_one_for_equal_neighbours():
    found = chapters(
        shot("a dog", 0, 1.23456),
        shot("a dog", 1.23456, 2),
        shot("", 2, 3, uncertain=True),
        shot("a dög", 3, 4),
        CaptionerError("it breaks off"),
        shot("two dogs", None, None),
    )
    assert found == {
        "version": "1.2.0",
        "fileName": "film.mp4",
        "description": "two dogs",
        "chapters": [
            {"startTime": 0, "endTime": 2, "title": "a dog"},
            {"startTime": 3, "endTime": 4, "title": "a dög"},
        ],
    }


def test_images_and_several_films_have_none(tmp_path):
    with pytest.raises(CaptionerError, match="image, which has no chapters"):
        chapters(shot("a dog", None, None), path="dog.jpg")
    writer = ChapterWriter(io.BytesIO())
    writer.write("one.mp4", shot("a dog", 0, 1))
    with pytest.raises(CaptionerError, match="only one video"):
        writer.write("two.mp4", shot("a dog", 0, 1))
    path = tmp_path / "film.chapters.json"
    assert format_of(path) == "chapters"
    with open_report(path, "chapters") as report:
        report.write("film.mp4", shot("a dog", 0, 1))
        assert not path.exists()
    assert len(json.loads(path.read_text())["chapters"]) == 1
