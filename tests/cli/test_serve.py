import socket
import sys

import pytest
import uvicorn
from click.testing import CliRunner

from captioner.cli import main


@pytest.fixture
def serve(tiny_preset, monkeypatch, tmp_path):
    """A function that runs the command; its server answers nothing and ends at once."""
    monkeypatch.chdir(tmp_path)
    ran = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: ran.append((self, sockets)))

    def serve(*arguments):
        options = ["serve", "--preset", str(tiny_preset), *arguments]
        result = CliRunner().invoke(main, options)
        for _, sockets in ran:
            sockets[0].close()
        return result

    serve.ran = ran
    return serve


def test_it_listens_to_this_machine_alone(serve):
    result = serve("--port", "0")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("tiny is at http://127.0.0.1:")
    assert result.stderr.splitlines()[1:] == ["Ended."]
    assert result.stdout == ""


def test_it_says_who_else_may_reach_it(serve):
    result = serve("--port", "0", "--host", "0.0.0.0")
    assert "http://localhost:" in result.stderr
    assert "Anyone who can reach this machine can use the page." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--library", "none.db"), "cannot read none.db (no such file)"),
        (("--host", "203.0.113.7"), "cannot listen on 203.0.113.7, port 0"),
        (("--host", "a..b"), "cannot listen on a..b"),
        (("--preset", "nothing"), "nothing"),
        (("--never", "two words"), "give one word"),
        (("--timeout", "0"), "--timeout"),
        (("--min-length", "99"), "--min-length 99 is above the maximum, 8 words"),
    ],
)
def test_refusals(serve, arguments, reason):
    result = serve("--port", "0", *arguments)
    assert result.exit_code in (1, 2)
    assert reason in result.stderr
    assert not serve.ran


def test_a_port_that_is_taken(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = serve("--port", str(port))
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1, port {port}" in result.stderr


def test_without_the_extra(serve, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = serve("--port", "0")
    assert result.exit_code == 1
    assert "the page needs uvicorn: `pip install 'captioner[web]'`" in result.stderr


def test_activities_have_no_wording(serve):
    result = serve("--port", "0", "--preset", "vgg16_lstm_signs", "--case", "sentence")
    assert result.exit_code == 2
    assert "vgg16_lstm_signs labels whole clips: leave out --case." in result.stderr
