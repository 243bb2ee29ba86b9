"""The HTTP API, with a model of random weights."""

import base64
import csv
import io
import json
import math
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import webvtt
from PIL import Image
from starlette.testclient import TestClient

from captioner.captioner import Captioner
from captioner.results import Label, Result
from captioner.text.wording import Wording
from captioner.web.application import Service, build_application
from captioner.web.describer import Wish

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
DOG, FILM = SAMPLES / "dog.jpg", SAMPLES / "shepherd_and_cat.mp4"


def send(client, *paths, **fields):
    files = [("file", (path.name, path.read_bytes())) for path in paths]
    return client.post("/api/describe", files=files, data=fields)


def test_captions_are_those_of_the_captioner(serve, captioner):
    answer = send(serve(), DOG, num_captions="3", attention="true")
    (row,) = answer.json()["results"]
    (said,) = captioner.generate(str(DOG), num_captions=3)
    assert (row["path"], row["caption"]) == ("dog.jpg", said.text)
    assert row["log_prob"] == pytest.approx(said.log_prob, abs=1e-4)
    texts = [caption["caption"] for caption in row["captions"]]
    assert texts == [said.text, *(other.text for other in said.alternatives)]
    assert len(texts) == 3
    for shown, caption in zip(row["captions"], (said, *said.alternatives), strict=True):
        assert [entry["word"] for entry in shown["attention"]] == list(caption.words)
        maps = np.array([entry["map"] for entry in shown["attention"]])  # (L, 7, 7)
        side = math.isqrt(caption.attention.shape[2])
        expected = caption.attention[:, 0].reshape(-1, side, side)
        np.testing.assert_allclose(maps, expected, atol=6e-5)


def test_a_clip_has_its_shots_and_the_frame_of_each_word(serve, captioner):
    (row,) = send(serve(), FILM, attention="true").json()["results"]
    said = captioner.generate(str(FILM))
    assert [(part["start"], part["end"]) for part in row["segments"]] == [(0, 2), (2, 4)]
    times = [result.times for result in captioner.describe([str(FILM)])]
    assert all(len(shot) > 1 for shot in times)
    for part, caption, shot in zip(row["segments"], said, times, strict=True):
        assert part["caption"] == caption.text
        for entry, frames in zip(part["attention"], caption.attention, strict=True):  # (T, P)
            at = shot[int(frames.sum(axis=1).argmax())]
            assert entry["at"] == pytest.approx(at, abs=1e-4)
            assert part["start"] <= entry["at"] < part["end"]


def test_one_sentence_about_the_whole_clip_or_each_second(serve):
    client = serve()
    (row,) = send(client, FILM, every="whole").json()["results"]
    assert [(part["start"], part["end"]) for part in row["segments"]] == [(0, 4)]
    (row,) = send(client, FILM, every="1").json()["results"]
    assert [part["start"] for part in row["segments"]] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"every": "0"}, "every='0'"),
        ({"every": "often"}, "every='often'"),
        ({"every": "inf"}, "every='inf'"),
        ({"num_captions": "11"}, "num_captions='11'"),
        ({"num_captions": "two"}, "num_captions='two'"),
        ({"format": "xls"}, "format='xls'"),
        ({"format": "vtt"}, "dog.jpg is an image"),
    ],
)
def test_wrong_fields_are_named(serve, fields, reason):
    answer = send(serve(), DOG, **fields)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_a_broken_file_does_not_stop_the_others(serve, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(DOG.read_bytes()[:300])
    client = serve()
    answer = send(client, broken, DOG)
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert first["path"] == "broken.jpg" and "caption" not in first
    assert first["error"].startswith("cannot read broken.jpg (")
    assert second["caption"]
    assert send(client, broken).status_code == 422


def test_requests_without_files_are_refused(serve):
    client = serve()
    assert client.post("/api/describe", json={}).status_code == 415
    assert client.post("/api/describe", data={"a": "b"}).status_code == 415
    form = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/api/describe", content=b"--x--\r\n", headers=form).status_code == 400
    assert client.post("/api/describe", content=b"nothing", headers=form).status_code == 400


def test_uploads_are_deleted(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []
    describe = Captioner.describe

    def watched(self, sources, **options):
        seen.extend(sources)
        assert all(Path(source).read_bytes() for source in sources)
        return describe(self, sources, **options)

    monkeypatch.setattr(Captioner, "describe", watched)
    client = serve()
    files = [("file", ("../../étoile.JPG", DOG.read_bytes())), ("file", ("..", b"x"))]
    first, second = client.post("/api/describe", files=files).json()["results"]
    assert (first["path"], second["path"]) == ("étoile.JPG", "file")
    assert all(Path(source).is_relative_to(tmp_path) for source in seen)
    assert seen[0].endswith(".jpg") and len(seen) == 2
    assert list(tmp_path.iterdir()) == []


def test_formats(serve, tmp_path):
    client = serve()
    row = send(client, FILM).json()["results"][0]
    answer = send(client, FILM, format="vtt")
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert "shepherd_and_cat.vtt" in answer.headers["content-disposition"]
    cues = webvtt.from_string(answer.text)
    assert [(cue.start_in_seconds, cue.text) for cue in cues] == [
        (part["start"], part["caption"]) for part in row["segments"]
    ]
    assert "00:00:02,000 --> 00:00:04,000" in send(client, FILM, format="srt").text
    table = list(csv.DictReader(io.StringIO(send(client, DOG, FILM, format="csv").text)))
    assert [line["path"] for line in table] == ["dog.jpg", *2 * ["shepherd_and_cat.mp4"]]
    assert table[1]["caption"] == row["segments"][0]["caption"]


def test_what_the_page_has_changed_is_what_is_downloaded(serve):
    client = serve()
    rows = send(client, DOG, DOG, FILM, attention="true", num_captions="2").json()["results"]
    rows[0]["caption"] = rows[0]["captions"][0]["caption"] = "=our dog"
    rows.append({"path": "../../etc/passwd", "error": "cannot read it"})
    rows.append({"path": "../../x.jpg", "caption": "a dog", "log_prob": -1.0})
    answer = client.post("/api/download", json={"format": "zip", "results": rows})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
        assert names == [
            *("captions.csv", "captions.jsonl", "dog.txt", "dog.jpg.txt"),
            *("shepherd_and_cat.vtt", "x.txt"),
        ]
        assert archive.read("dog.txt") == b"=our dog\n"
        table = list(csv.DictReader(io.StringIO(archive.read("captions.csv").decode())))
        # What a spreadsheet would run has an apostrophe before it.
        assert table[0]["caption"] == "'=our dog"
        lines = archive.read("captions.jsonl").decode().splitlines()
    assert [json.loads(line)["path"] for line in lines] == [row["path"] for row in rows]
    assert "attention" not in "".join(lines)


@pytest.mark.parametrize(
    "body",
    [
        {"results": "none"},
        {"results": [1]},
        {"results": [{"path": "a.jpg", "caption": "a dog"}], "format": "csv"},
        {"results": [{"path": "a.mp4", "segments": [{"caption": "a dog"}]}], "format": "vtt"},
        {"results": [], "format": "xls"},
        [],
    ],
)
def test_what_is_no_result_is_not_packed(serve, body):
    answer = serve().post("/api/download", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_formats_that_browsers_do_not_know_have_a_preview(serve, tmp_path):
    path = tmp_path / "photo.tiff"
    with Image.open(DOG) as dog:
        dog.save(path)
    client = serve()
    row, film = send(client, path, FILM, preview="true").json()["results"]
    kind, _, content = row["preview"].partition(",")
    assert kind == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as preview:
        assert preview.size == dog.size
    assert "preview" not in film
    assert "preview" not in send(client, path).json()["results"][0]


def test_health_and_settings(serve, library):
    client = serve()
    health = client.get("/health").json()
    assert (health["status"], health["preset"], health["task"]) == ("ok", "tiny", "caption")
    assert client.get("/api/settings").json()["library"] is False
    assert client.get("/api/library").status_code == 404
    assert serve(library).get("/api/settings").json()["library"] is True


def test_the_page_and_its_files(serve):
    client = serve()
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    names = {name for name in page.text.split('"') if name.startswith("/static/")}
    assert {"/static/style.css", "/static/main.js"} <= names
    for name in names:
        assert client.get(name).status_code == 200
    # Nothing is asked of another server.
    assert "http://" not in page.text and "https://" not in page.text


def test_wording_of_the_server_holds_for_all(serve):
    client = serve(options={"wording": Wording("photo of ", "", "sentence")})
    (row,) = send(client, DOG).json()["results"]
    assert row["caption"].startswith("Photo of ") and row["caption"].endswith(".")


def test_wishes():
    assert Wish.parse({}) == Wish()
    assert Wish.parse({"every": "2.5", "attention": "true"}) == Wish(1, 2.5, attention=True)


class Signs:
    """A captioner that labels clips."""

    preset = SimpleNamespace(task="activity")

    def describe(self, sources, *, timeout, num_captions):
        probabilities = np.array([0.25, 0.7, 0.05])
        for index, source in enumerate(sources):
            label = Label.from_probabilities(["nod", "wave", "clap"], probabilities, num_captions)
            yield Result(source, index, label, last=True, frames=2, times=(0.0, 0.5))


def test_labels_of_clips():
    application = build_application(Service(Signs(), "signs"))
    client = TestClient(application, base_url="http://127.0.0.1:8000")
    assert client.get("/health").json()["task"] == "activity"
    (row,) = send(client, FILM, num_captions="2", attention="true").json()["results"]
    assert (row["label"], row["probability"]) == ("wave", 0.7)
    assert [each["label"] for each in row["labels"]] == ["wave", "nod"]
    answer = client.post("/api/download", json={"format": "csv", "results": [row]})
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["caption"] for line in table] == ["wave", "nod"]
    assert float(table[0]["log_prob"]) == pytest.approx(math.log(0.7), abs=1e-3)
    answer = client.post("/api/download", json={"format": "zip", "results": [row]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read("shepherd_and_cat.txt") == b"wave\n"
