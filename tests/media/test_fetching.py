import http.server
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.media import fetching
from captioner.media.ahead import read_ahead
from captioner.media.fetching import Remote, is_address
from captioner.media.sources import read_clips

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
PICTURE = (SAMPLES / "cat.jpg").read_bytes()
FILM = (SAMPLES / "shepherd_and_cat.mp4").read_bytes()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the path."""

    def log_message(self, *arguments):
        """Write nothing."""

    def do_GET(self):
        self.server.asked.append(self.path)
        name = self.path.partition("?")[0].strip("/")
        if hasattr(self, name.replace("-", "_")):
            getattr(self, name.replace("-", "_"))()
        else:
            self.answer(404, b"none", "text/plain")

    def answer(self, status, body, kind="image/jpeg", **headers):
        self.send_response(status)
        fields = {"Content_Type": kind, "Content_Length": str(len(body))}
        for key, value in {**fields, **headers}.items():
            if value is not None:
                self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def picture(self):
        self.answer(200, PICTURE)

    def untyped(self):
        self.answer(200, PICTURE, Content_Type=None, Content_Length=None)

    def film(self):
        self.answer(200, FILM, "video/mp4")

    def page(self):
        self.answer(200, b"<html>", "text/html; charset=utf-8")

    def drawing(self):
        self.answer(200, b"<svg>", "image/svg+xml")

    def squeezed(self):
        self.answer(200, PICTURE, Content_Encoding="gzip")

    def short(self):
        self.answer(200, PICTURE[:100], Content_Length=str(len(PICTURE)))

    def promised(self):
        self.answer(200, b"", Content_Length=str(10**12))

    def damaged(self):
        self.answer(200, PICTURE[:2000])

    def endless(self):
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(2**16))
        except OSError:
            return

    def slow(self):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x")
                time.sleep(0.05)
        except OSError:
            return

    def silent(self):
        time.sleep(1)

    def moved(self):
        self.answer(302, b"", Location="/picture")

    def around(self):
        self.answer(301, b"", Location="/around")

    def to_file(self):
        self.answer(302, b"", Location="file:///etc/passwd")

    def to_metadata(self):
        self.answer(302, b"", Location="http://169.254.169.254/latest/meta-data")

    def to_plain(self):
        self.answer(302, b"", Location=f"http://127.0.0.1:{self.server.server_port}/picture")


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def fetch(url, **options):
    with Remote(url, **{"allow_private": True, **options}).fetched() as path:
        return path.read_bytes()


def refused(url, **options):
    with pytest.raises(CaptionerError) as caught:
        fetch(url, **options)
    assert str(caught.value).startswith(f"cannot read {url} (")
    return str(caught.value)


@pytest.mark.parametrize("name", ["picture", "moved", "untyped", "picture?w=100&h=%20#top"])
def test_a_picture_is_fetched(server, name):
    assert fetch(f"{server.url}/{name}") == PICTURE


REFUSED = {
    "nothing": "404",
    "page": "it is text/html, not an image or a video",
    "drawing": "image/svg+xml",
    "squeezed": "compressed",
    "short": f"broke off after 100 of {len(PICTURE)} bytes",
    "promised": "MiB, over the limit of",
    "around": "more than 5 redirects",
    "to-file": "is not an http or https URL",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_or_has_no_end_is_refused(server, name):
    assert REFUSED[name] in refused(f"{server.url}/{name}")
    assert len(server.asked) <= 6


def test_size_is_bounded_where_the_server_says_none(server, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_BYTES", 2**20)
    assert "more than 1 MiB" in refused(f"{server.url}/endless")


@pytest.mark.parametrize("name", ["slow", "silent"])
def test_time_is_bounded_for_all_of_a_file(server, monkeypatch, name):
    monkeypatch.setattr(fetching, "MOST_SECONDS", 0.4)
    assert "over the limit of 0.4 seconds" in refused(f"{server.url}/{name}")


PRIVATE = [
    *("127.0.0.1", "localhost", "0.0.0.0", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1"),
    *("169.254.169.254", "[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "127.1", "2130706433", "0x7f000001"),
]


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused_in_every_spelling(host, monkeypatch):
    monkeypatch.setattr(fetching, "_open_socket", lambda *arguments: pytest.fail("connected"))
    with pytest.raises(CaptionerError):
        fetch(f"http://{host}:1/picture", allow_private=False)


def test_a_redirect_to_a_private_address_is_refused(server, monkeypatch):
    """The first server is taken for a public one."""
    checked = []

    def is_public(address):
        checked.append(str(address))
        return str(address) == "127.0.0.1"

    monkeypatch.setattr(fetching, "_is_public", is_public)
    said = refused(f"{server.url}/to-metadata", allow_private=False)
    assert "169.254.169.254 is an address of this machine or a local network" in said
    assert checked == ["127.0.0.1", "169.254.169.254"]


def test_a_name_is_looked_up_once_and_the_checked_address_connected_to(server, monkeypatch):
    """A name that stands for a public address when checked, and for this machine after that."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    looked_up, connected = [], []

    def getaddrinfo(host, port, *arguments, **options):
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def create_connection(address, timeout):
        connected.append(address[0])
        raise ConnectionRefusedError("no route in a test")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    assert "no route" in refused("http://rebinding.example/picture", allow_private=False)
    assert (looked_up, connected) == (["rebinding.example"], ["93.184.216.34"])


def test_one_private_address_of_several_is_enough_to_refuse(monkeypatch):
    def getaddrinfo(host, port, *arguments, **options):
        addresses = ["93.184.216.34", "10.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    said = refused("http://mixed.example/x", allow_private=False)
    assert "mixed.example is 10.0.0.1, an address of this machine" in said
    assert "--fetch-private" in said


@pytest.mark.parametrize(
    "url", ["http://me:secret@127.0.0.1/x", "http://", "http://[::1/x", "http://127.0.0.1:99999/x"]
)
def test_odd_addresses_are_errors(url):
    refused(url)


def test_no_proxy_is_used(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch(f"{server.url}/picture") == PICTURE


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_certificates_are_checked_and_redirects_keep_encryption(server, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://localhost:{server.server_port}"
    trusting = ssl.create_default_context(cafile=str(certificate))
    assert fetch(f"{url}/picture", context=trusting) == PICTURE
    assert "certificate" in refused(f"{url}/picture")
    assert "without encryption" in refused(f"{url}/to-plain", context=trusting)


def test_errors_name_the_address_and_not_the_temporary_file(server):
    url = f"{server.url}/damaged"
    remote = Remote(url, allow_private=True)
    with pytest.raises(CaptionerError, match=f"cannot read {url} ") as caught:
        list(read_clips(remote, (8, 8)))
    assert "captioner-" not in str(caught.value)


def test_pictures_and_films_are_read_like_files(server):
    remotes = [Remote(f"{server.url}/{name}", True) for name in ("picture", "film")]
    readings = [r for b in read_ahead(lambda s: read_clips(s, (32, 32)), remotes, 4) for r in b]
    found = [reading.clip.frames for reading in readings]
    expected = next(read_clips(str(SAMPLES / "cat.jpg"), (32, 32))).frames
    np.testing.assert_array_equal(found[0], expected)
    assert [reading.index for reading in readings] == [0, 1, 1]


def test_a_list_of_addresses_is_captioned_only_where_that_is_asked_for(
    server, tiny_preset, tmp_path
):
    from click.testing import CliRunner

    from captioner.cli.caption import main

    url = f"{server.url}/picture?size=large"
    options = ["--preset", str(tiny_preset), "--jsonl", "--out", str(tmp_path / "report.jsonl")]
    done = CliRunner().invoke(main, [url, *options])
    assert done.exit_code == 1 and server.asked == []
    assert "give --fetch" in (tmp_path / "report.jsonl").read_text()
    done = CliRunner().invoke(main, [url, *options, "--fetch", "--overwrite"])
    assert done.exit_code == 1 and server.asked == []
    assert "--fetch-private" in (tmp_path / "report.jsonl").read_text()
    done = CliRunner().invoke(main, [url, *options, "--fetch-private", "--overwrite"])
    assert done.exit_code == 0, done.output
    assert '"caption"' in (tmp_path / "report.jsonl").read_text()
    done = CliRunner().invoke(main, [url, *options, "--fetch-private"])
    assert done.exit_code == 0 and len(server.asked) == 1  # described already


def test_addresses_are_told_from_paths():
    assert is_address("HTTPS://example.org/a.jpg")
    assert not any(map(is_address, ["http.jpg", "ftp://x/y", "file:///x", "-", "~/x"]))
