import json
from io import BytesIO

import pytest

from captioner.errors import CaptionerError
from captioner.evaluation.caption_files import read_results
from captioner.evaluation.references import read_references
from captioner.reports.csv import CSVWriter
from captioner.reports.json import JSONLinesWriter, JSONWriter
from captioner.reports.text import TextWriter
from captioner.results import Caption

WRITERS = {"json": JSONWriter, "jsonl": JSONLinesWriter, "csv": CSVWriter, "txt": TextWriter}


def caption(text, **options):
    return Caption(text, tuple(text.split()), -1.0, -0.5, **options)


def write_report(path, rows):
    stream = BytesIO()
    writer = WRITERS[path.suffix[1:]](stream)
    for image, *results in rows:
        for result in results:
            writer.write(image, result, last=result is results[-1])
    writer.close()
    path.write_bytes(stream.getvalue())
    return path


@pytest.mark.parametrize("kind", WRITERS)
def test_what_caption_writes_is_read(tmp_path, kind):
    said = {"a b,c.jpg": "a dog, asleep", "photos/2.jpg": '=a "cat"', "3.gif": "two men"}
    rows = [(image, caption(text)) for image, text in said.items()]
    path = write_report(tmp_path / f"out.{kind}", rows)
    if kind == "csv":  # a formula is guarded there
        said["photos/2.jpg"] = "'" + said["photos/2.jpg"]
    assert read_results(path) == said


@pytest.mark.parametrize("kind", WRITERS)
def test_of_alternatives_the_best_is_taken(tmp_path, kind):
    best = caption("a dog", alternatives=(caption("a cat"),))
    path = write_report(tmp_path / f"out.{kind}", [("1.jpg", best), ("2.jpg", caption("a man"))])
    if kind == "txt":  # which has a line for each, and nothing that tells them from shots
        with pytest.raises(CaptionerError, match="more than one caption for 1 image"):
            read_results(path)
    else:
        assert read_results(path) == {"1.jpg": "a dog", "2.jpg": "a man"}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_clip_may_have_one_shot(tmp_path, kind):
    one = ("a.mp4", caption("a dog", span=(0.0, 1.5)))
    assert read_results(write_report(tmp_path / f"one.{kind}", [one])) == {"a.mp4": "a dog"}
    two = (*one, caption("a cat", span=(1.5, 2.0)))
    with pytest.raises(CaptionerError, match=r"1 image \(a.mp4\).*--whole"):
        read_results(write_report(tmp_path / f"two.{kind}", [two]))


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_an_image_with_an_error_has_no_caption(tmp_path, kind):
    rows = [("1.jpg", caption("a dog")), ("2.jpg", CaptionerError("broken"))]
    assert read_results(write_report(tmp_path / f"out.{kind}", rows)) == {
        "1.jpg": "a dog",
        "2.jpg": "",
    }


def test_a_report_that_excel_has_saved(tmp_path):
    path = write_report(tmp_path / "out.csv", [("1.jpg", caption("a dog"))])
    text = path.read_text().replace(",", ";").replace("\n", "\r\n")
    path.write_text("\ufeff" + text + ";;;;;;\r\n", encoding="utf-8")
    assert read_results(path) == {"1.jpg": "a dog"}


def test_a_report_that_was_cut_short(tmp_path):
    path = write_report(tmp_path / "out.csv", [("1.jpg", caption("a dog"))])
    path.write_text(path.read_text() + "2.jpg,,\n")
    with pytest.raises(CaptionerError, match=r"out\.csv, line 3, is truncated"):
        read_results(path)


TRUTH = {"a.jpg": ["A dog, asleep.", "One dog."], "b.jpg": ["A cat."]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.json", json.dumps(TRUTH)),
        ("r.json", json.dumps({"a.jpg": TRUTH["a.jpg"], "b.jpg": "A cat."})),
        ("r.json", json.dumps([{"image": k, "captions": v} for k, v in TRUTH.items()])),
        (
            "r.jsonl",
            "\n".join(json.dumps({"path": k, "caption": TRUTH[k]}) for k in TRUTH),
        ),
        ("r.csv", "Image;Caption\na.jpg;A dog, asleep.\na.jpg;One dog.\nb.jpg;A cat.\n"),
        ("r.tsv", "file_name\ttext\na.jpg\tA dog, asleep.\na.jpg\tOne dog.\nb.jpg\tA cat.\n"),
        ("r.txt", "image\tcaption\na.jpg\tA dog, asleep.\na.jpg\tOne dog.\nb.jpg\tA cat.\n"),
        ("r.txt", "a.jpg\tA dog, asleep.\na.jpg\tOne dog.\nb.jpg\tA cat.\n"),
        ("r.txt", "a.jpg#0\tA dog, asleep.\na.jpg#1\tOne dog.\nb.jpg#0\tA cat.\n"),
        ("r.txt", 'image,caption\na.jpg,"A dog, asleep."\na.jpg,One dog.\nb.jpg,A cat.\n'),
    ],
)
def test_references_of_any_kind(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_references(tmp_path / name).captions == TRUTH


def test_lines_of_captions_alone_are_numbered(tmp_path):
    (tmp_path / "results.txt").write_text("a dog\n\ntwo men, standing\n")
    assert read_results(tmp_path / "results.txt") == {
        "1": "a dog",
        "2": "",
        "3": "two men, standing",
    }
    (tmp_path / "truth.txt").write_text("A dog.\nA cat.")
    assert read_references(tmp_path / "truth.txt").captions == {"1": ["A dog."], "2": ["A cat."]}


@pytest.mark.parametrize(
    "content",
    [
        {"images": [{"id": 1}], "annotations": [{"image_id": 1}]},
        {"images": [{"file_name": "a"}], "annotations": []},
        {"images": [{"filename": "a.jpg", "split": "test"}]},
        {"images": ["a.jpg"]},
        {"annotations": {"1": "a dog"}},
        [{"image": "a.jpg"}],
        [{"caption": "a dog"}],
    ],
)
def test_errors_are_sentences(tmp_path, content):
    (tmp_path / "r.json").write_text(json.dumps(content))
    with pytest.raises(CaptionerError, match=r"r\.json") as refusal:
        read_references(tmp_path / "r.json")
    assert "Error" not in str(refusal.value)
    assert "lacks" in str(refusal.value) or "neither an image nor a caption" in str(refusal.value)


def test_images_of_coco_go_by_their_files_names_too(tmp_path):
    content = {
        "images": [{"id": 7, "file_name": "COCO_7.jpg"}, {"id": 8, "file_name": "COCO_8.jpg"}],
        "annotations": [{"image_id": n, "caption": f"Dog {n}."} for n in (7, 8)],
    }
    (tmp_path / "captions.json").write_text(json.dumps(content))
    truth = read_references(tmp_path / "captions.json", image_ids=["val/COCO_7.jpg", "val/COCO_8"])
    assert list(truth.captions) == ["COCO_7.jpg", "COCO_8.jpg"]
    assert list(read_references(tmp_path / "captions.json", image_ids=["7"]).captions) == ["7", "8"]
