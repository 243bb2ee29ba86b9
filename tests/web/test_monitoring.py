"""The addresses that Kubernetes and Prometheus ask, read by Prometheus' own parser."""

import sys
import threading
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.exceptions import HTTPException

from captioner.captioner import Captioner
from captioner.web.monitoring import metrics_of

DOG = (Path(__file__).parents[2] / "data" / "samples" / "dog.jpg").read_bytes()


def measured(client):
    """All samples of a server: their values by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_files_and_seconds_are_counted(serve):
    client = serve()
    before = measured(client)
    assert before["captioner_files_total", "described"] == 0
    files = [("file", ("dog.jpg", DOG)), ("file", ("none.jpg", b"nothing"))]
    assert client.post("/api/describe", files=files).status_code == 200
    assert client.post("/api/describe", files=files[1:]).status_code == 422
    for path in ("/api/nothing", "/api/describe2", "/a", "/b"):
        assert client.get(path).status_code == 404
    assert client.get("/static/nothing.js").status_code == 404
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 421
    found = measured(client)
    assert found["captioner_requests_total", "/api/describe", "200"] == 1
    assert found["captioner_requests_total", "/api/describe", "422"] == 1
    assert found["captioner_requests_total", "404", "other"] == 4  # not a name for each
    assert found["captioner_requests_total", "/static/{name}", "404"] == 1
    assert found["captioner_requests_total", "/health", "421"] == 1
    assert found["captioner_files_total", "described"] == 1
    assert found["captioner_files_total", "failed"] == 2
    assert found["captioner_request_seconds_count", "/api/describe"] == 2
    assert found["captioner_request_seconds_sum", "/api/describe"] > 0
    assert found["captioner_request_seconds_bucket", "+Inf", "/api/describe"] == 2
    assert found["captioner_requests_waiting",] == found["captioner_requests_working",] == 0


def test_a_full_server_is_alive_and_not_ready(serve, monkeypatch):
    entered, go_on = threading.Semaphore(0), threading.Event()
    describe = Captioner.describe

    def wait(self, *arguments, **options):
        entered.release()
        assert go_on.wait(60)
        return describe(self, *arguments, **options)

    monkeypatch.setattr(Captioner, "describe", wait)
    with serve(workers=1, waiting=1) as client:
        assert client.get("/ready").json() == {"status": "ok"}

        def send():
            client.post("/api/describe", files=[("file", ("dog.jpg", DOG))])

        threads = [threading.Thread(target=send) for _ in range(2)]
        threads[0].start()
        assert entered.acquire(timeout=60)
        assert client.get("/ready").status_code == 200  # one more may wait
        threads[1].start()
        while client.get("/health").json()["requests"] < 2:
            pass
        found = measured(client)
        assert (found["captioner_requests_working",], found["captioner_requests_waiting",]) == (
            1,
            1,
        )
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()) == (503, {"status": "busy"})
        assert client.get("/health").status_code == 200
        go_on.set()
        for thread in threads:
            thread.join()
        assert client.get("/ready").status_code == 200


def test_without_prometheus_client_all_else_works(serve, monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    client = serve()
    assert client.get("/health").status_code == 200
    answer = client.get("/metrics")
    assert answer.status_code == 501
    assert "pip install 'captioner[serve]'" in answer.json()["error"]
    with pytest.raises(HTTPException):
        metrics_of(None)
