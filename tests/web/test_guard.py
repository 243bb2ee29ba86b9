"""What the server refuses: other sites, other names, too much at once, files that are its own."""

import threading
import time
from pathlib import Path

import anyio
import pytest

from captioner.captioner import Captioner
from captioner.web import describer

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
DOG = (SAMPLES / "dog.jpg").read_bytes()
FILES = [("file", ("dog.jpg", DOG))]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST:9", 200),
        ("[::1]:8000", 200),
        ("192.168.1.5", 200),
        ("laptop.local", 200),
        ("laptop.local.", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil.example:8000@127.0.0.1", 200),  # whose host is the address
        ("127.0.0.1@evil.example", 421),
        ("[", 421),
        ("", 421),
    ],
)
def test_names_of_the_server(serve, host, status):
    client = serve(names=["Laptop.local"])
    for path in ("/", "/health", "/api/settings"):
        assert client.get(path, headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://127.0.0.1:8000"}, True),
        ({"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "http://127.0.0.1:3000"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
    ],
)
def test_pages_of_other_sites(serve, library, headers, allowed):
    client = serve(library)
    posted = client.post("/api/describe", files=FILES, headers=headers)
    assert (posted.status_code == 200) is allowed
    corrected = client.put("/api/library/1", json={"path": "x", "text": "y"}, headers=headers)
    assert corrected.status_code == (409 if allowed else 403)
    got = client.get("/api/library/1/image", headers=headers)
    assert (got.status_code == 200) is allowed
    assert client.get("/", headers=headers).status_code == 200  # a link may lead there


def test_a_preflight_gets_no_leave(serve):
    headers = {"origin": "https://evil.example", "access-control-request-method": "PUT"}
    answer = serve().options("/api/describe", headers=headers)
    assert answer.status_code >= 400
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_headers_keep_answers_to_our_own_page(serve):
    for path in ("/", "/health", "/nothing"):
        headers = serve().get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
    assert (
        serve().get("/health", headers={"host": "evil.example"}).headers["x-content-type-options"]
    )


@pytest.mark.parametrize(
    "path",
    [
        "/static/../application.py",
        "/static/..%2fapplication.py",
        "/static/%2e%2e/application.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/application.py",
        "/etc/passwd",
        "/photos/secret.txt",
        "/api/library/photos%2fsecret.txt/image",
        "/api/library/../../photos/secret.txt",
        "/api/library/-1/image",
        "/photos.db",
    ],
)
def test_no_file_of_the_machine_is_given(serve, library, path):
    assert serve(library).get(path).status_code in (404, 405)


def test_a_body_that_is_too_large(serve):
    client = serve(most_bytes=len(DOG) // 2)
    answer = client.post("/api/describe", files=FILES)
    assert answer.status_code == 413
    assert "send fewer or smaller files" in answer.json()["error"]

    def pieces():  # without a Content-Length
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="dog.jpg"\r\n\r\n'
        for _ in range(40):
            yield DOG

    form = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/api/describe", content=pieces(), headers=form).status_code == 413
    # Other addresses take 8 MiB.
    body = {"results": [], "format": "csv", "filler": "x" * (9 * 2**20)}
    assert serve().post("/api/download", json=body).status_code == 413


def test_a_body_that_is_too_slow(serve):
    application = serve(timeout=0.2).app
    kind = b"multipart/form-data; boundary=x"
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/describe",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", kind)],
    }
    begun = False
    sent = []

    async def receive():
        nonlocal begun
        if begun:
            await anyio.sleep_forever()
        begun = True
        return {"type": "http.request", "body": b"--x\r\n", "more_body": True}

    async def send(message):
        sent.append(message)

    anyio.run(application, scope, receive, send)
    assert sent[0]["status"] == 408


def test_too_many_files(serve):
    answer = serve().post("/api/describe", files=[("file", ("a.jpg", b"x"))] * 101)
    assert answer.status_code == 400
    assert "Too many files" in answer.json()["error"]


def test_too_many_pixels(serve):
    (row,) = serve(most_pixels=1000).post("/api/describe", files=FILES).json()["results"]
    assert "over this server's limit of 1000): make it smaller" in row["error"]
    film = [("file", ("film.mp4", (SAMPLES / "shepherd_and_cat.mp4").read_bytes()))]
    (row,) = serve(most_pixels=1000).post("/api/describe", files=film).json()["results"]
    assert row["error"].startswith("cannot read film.mp4")


def test_a_request_that_takes_too_long_keeps_what_is_done(serve, monkeypatch):
    ticks = iter([0.0, 1.0, *[100.0] * 9])
    monkeypatch.setattr(describer, "monotonic", lambda: next(ticks))
    files = [("file", (f"{number}.jpg", DOG)) for number in range(3)]
    client = serve(timeout=50)
    rows = client.post("/api/describe", files=files).json()["results"]
    assert "caption" in rows[0] and "caption" in rows[1]
    assert rows[2]["error"].startswith("cannot read 2.jpg (it takes longer than the 50 seconds")


def test_more_requests_than_may_wait(serve, monkeypatch):
    begun, end = threading.Event(), threading.Event()
    describe = Captioner.describe

    def slow(self, sources, **options):
        begun.set()
        assert end.wait(30)
        return describe(self, sources, **options)

    monkeypatch.setattr(Captioner, "describe", slow)
    answers = {}
    with serve(workers=1, waiting=1) as client:

        def post(name):
            answers[name] = client.post("/api/describe", files=FILES)

        first = threading.Thread(target=post, args=["first"])
        first.start()
        assert begun.wait(30)
        second = threading.Thread(target=post, args=["second"])
        second.start()
        while client.get("/health").json()["requests"] < 2:
            time.sleep(0.01)
        refused = client.post("/api/describe", files=FILES)
        end.set()
        first.join()
        second.join()
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert [answers[name].status_code for name in ("first", "second")] == [200, 200]


def test_a_turn_that_does_not_come(serve, monkeypatch):
    begun, end = threading.Event(), threading.Event()
    describe = Captioner.describe

    def slow(self, sources, **options):
        begun.set()
        assert end.wait(30)
        return describe(self, sources, **options)

    monkeypatch.setattr(Captioner, "describe", slow)
    with serve(workers=1, timeout=0.3) as client:
        first = threading.Thread(target=lambda: client.post("/api/describe", files=FILES))
        first.start()
        assert begun.wait(30)
        answer = client.post("/api/describe", files=FILES)
        end.set()
        first.join()
    assert answer.status_code == 503
    assert "waited for 0.3 seconds" in answer.json()["error"]


def test_faults_tell_nothing_of_the_server(serve, monkeypatch):
    def broken(self, sources, **options):
        raise RuntimeError("/home/someone/secret")

    monkeypatch.setattr(Captioner, "describe", broken)
    client = serve()
    client._transport.raise_server_exceptions = False
    answer = client.post("/api/describe", files=FILES)
    assert answer.status_code == 500
    assert "secret" not in answer.text
