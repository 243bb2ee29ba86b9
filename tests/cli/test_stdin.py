import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from captioner.captioner import Captioner
from captioner.cli.caption import main

CAT = Path("data/samples/cat.jpg").resolve()


@pytest.fixture
def run(tiny_preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **options):
        preset = ["--preset", str(tiny_preset), "--precision", "float32"]
        return CliRunner().invoke(main, [*preset, *arguments], **options)

    return run


def test_an_image_on_standard_input_is_described(run, tiny_preset):
    captioner = Captioner.from_preset(tiny_preset, precision="float32")
    expected = captioner.generate(CAT.read_bytes())[0].text
    result = run("-", input=CAT.read_bytes())
    assert (result.stdout, result.stderr, result.exit_code) == (expected + "\n", "", 0)
    rows = json.loads(run("-", str(CAT), "--json", input=CAT.read_bytes()).stdout)
    assert [(row["path"], row["caption"]) for row in rows] == [
        ("-", expected),
        (str(CAT), expected),
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (CAT.read_bytes()[:300], "damaged"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "a video or another ISO media file): give it as a"),
        (bytes(range(256)) * 40, "not an image"),
        (b"a[\0].jpg\n*\0\n", "not an image"),
    ],
)
def test_bytes_that_are_no_image_are_one_error(run, data, reason):
    result = run("-", input=data)
    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith("-: cannot read the image bytes (")
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
