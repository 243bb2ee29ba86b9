"""The library over HTTP."""

import io

import pytest
from PIL import Image

from captioner.library.collection import Library


def rows_of(client, query="", **options):
    return client.get("/api/library", params={"query": query, **options}).json()["rows"]


def test_search_finds_what_is_corrected(serve, library):
    client = serve(library)
    rows = rows_of(client)
    assert [row["path"] for row in rows] == [
        *("photos/cat.jpg", "photos/dog.jpg"),
        *2 * ["photos/shepherd_and_cat.mp4"],
    ]
    assert rows_of(client, "rex") == []
    row = rows[1]
    correction = {"path": row["path"], "text": "our dog Rex"}
    answer = client.put(f"/api/library/{row['id']}", json=correction)
    assert answer.json()["text"] == answer.json()["corrected"] == "our dog Rex"
    (found,) = rows_of(client, "rex dogs")
    assert (found["id"], found["caption"]) == (row["id"], row["caption"])
    client.put(f"/api/library/{row['id']}", json={"path": row["path"], "text": None})
    assert rows_of(client, "rex") == []
    with Library(library) as kept:
        assert not any(row["corrected"] for row in kept.rows())


def test_a_shot_is_corrected_alone(serve, library):
    client = serve(library)
    first, second = (row for row in rows_of(client) if "start" in row)
    client.put(f"/api/library/{second['id']}", json={"path": second["path"], "text": "a camera"})
    texts = {row["id"]: row["text"] for row in rows_of(client)}
    assert texts[second["id"]] == "a camera"
    assert texts[first["id"]] == first["text"]


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"text": " "}, 400, "cannot be empty"),
        ({"text": "x" * 2001}, 400, "over 2000 characters"),
        ({"text": 3}, 400, 'give "path"'),
        ({"path": "photos/secret.txt"}, 409, "search again"),
    ],
)
def test_wrong_corrections(serve, library, change, status, reason):
    client = serve(library)
    row = rows_of(client)[0]
    fields = {"path": row["path"], "text": "a cat", **change}
    answer = client.put(f"/api/library/{row['id']}", json=fields)
    assert answer.status_code == status
    assert reason in answer.json()["error"]
    assert rows_of(client)[0] == row
    assert client.put("/api/library/99", json={"path": "a", "text": "b"}).status_code == 404


def test_pictures_are_small_and_of_rows_alone(serve, library):
    client = serve(library)
    for row in rows_of(client):
        answer = client.get(row["image"])
        assert answer.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert min(image.size) <= 360
    assert client.get("/api/library/99/image").status_code == 404
    (library.parent / "photos" / "cat.jpg").unlink()
    answer = client.get(f"/api/library/{rows_of(client)[0]['id']}/image")
    assert answer.status_code == 400
    assert "photos/cat.jpg" in answer.json()["error"]
    assert str(library.parent) not in answer.text


def test_the_picture_of_a_shot_is_of_its_middle(serve, library):
    client = serve(library)
    shots = [client.get(row["image"]).content for row in rows_of(client) if "start" in row]
    assert len(set(shots)) == 2


def test_more_than_the_limit(serve, library):
    client = serve(library)
    answer = client.get("/api/library", params={"limit": 3}).json()
    assert (len(answer["rows"]), answer["more"]) == (3, True)
    assert client.get("/api/library", params={"limit": 4}).json()["more"] is False
    assert client.get("/api/library", params={"limit": 0}).status_code == 400


def test_files_that_are_gone_are_not_shown(serve, library):
    client = serve(library)
    row = rows_of(client)[0]
    (library.parent / row["path"]).unlink()
    with Library(library) as kept:
        kept.mark_removed([str(library.parent)])
    assert client.get(row["image"]).status_code == 404
    answer = client.put(f"/api/library/{row['id']}", json={"path": row["path"], "text": "a"})
    assert answer.status_code == 404
