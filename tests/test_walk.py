"""The way of an image through the code is the one that the documentation shows."""

import re
import sys
import threading
from pathlib import Path

from click.testing import CliRunner

from captioner.cli.caption import main

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "from-image-to-sentence.md"
ROW = re.compile(r"^\| `(captioner/[a-z0-9_/]+\.py)` \| `(\w+)` \|", re.MULTILINE)


def calls_of(run):
    """The functions of the package that are called, in the order of their first calls."""
    calls = {}

    def note(frame, event, argument):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(str(ROOT / "captioner")):
            path = Path(code.co_filename).relative_to(ROOT).as_posix()
            calls.setdefault((path, code.co_name))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return list(calls)


def test_an_image_goes_through_twelve_files_to_its_sentence():
    shown = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len(shown) == len({path for path, _ in shown}) <= 12
    arguments = [str(ROOT / "data/samples/shepherd.jpg"), "--engine", "openvino"]
    results = []
    calls = calls_of(lambda: results.append(CliRunner().invoke(main, arguments)))
    assert results[0].stdout == "a brown and black dog is running in the grass\n"
    assert [call for call in calls if call in shown] == shown
