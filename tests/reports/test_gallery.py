import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from captioner.errors import CaptionerError
from captioner.reports.gallery import open_gallery
from captioner.results import Caption

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
DOG = Caption("a dog & <b>cat</b>", (), -1.0, -0.5)
SHOTS = [Caption("a dog", (), -1.0, -0.5, span=(i, i + 1.0)) for i in (0.0, 61.5)]


class Page(HTMLParser):
    """The parts of a page that people perceive, by the standard library's parser."""

    def __init__(self, path):
        super().__init__()
        self.images, self.links, self.tags, self.text, self.open = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("meta", "input", "img"):
            self.open.append(tag)
        attributes = dict(attributes)
        if tag == "img":
            self.images.append((attributes["src"], attributes["alt"]))
        if tag == "a":
            self.links.append(attributes["href"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("p", "h1", "a", "title"):
            self.text.append(data)


def write(path, *entries, title="Captions"):
    with open_gallery(path, title) as gallery:
        for name, results in entries:
            gallery.write(str(name), results)
        gallery.close()
    return Page(path)


def test_pictures_have_their_captions_for_every_reader(tmp_path):
    page = write(tmp_path / "page.html", (SAMPLES / "cat.jpg", [DOG]))
    ((source, alt),) = page.images
    assert alt == "a dog & <b>cat</b>" and alt in page.text
    kind, data = source.split(",")
    assert kind == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as small:
        assert min(small.size) == 200
        with Image.open(SAMPLES / "cat.jpg") as image:
            expected = np.asarray(image.resize(small.size)).astype(int)
        assert np.abs(np.asarray(small) - expected).mean() < 12
    assert (tmp_path / unquote(page.links[0])).samefile(SAMPLES / "cat.jpg")
    assert page.open == []
    assert page.tags.count("h1") == 1 and "label" in page.tags and "main" in page.tags
    html = (tmp_path / "page.html").read_text()
    assert '<html lang="en">' in html
    assert re.findall(r"(?:src|href)=[\"'](?!data:)[^\"']*://", html) == []
    assert len(html) < 25_000


def test_a_clip_has_its_first_frame_and_its_times(tmp_path):
    page = write(tmp_path / "page.html", (SAMPLES / "shepherd_and_cat.mp4", SHOTS))
    assert page.images[0][0].startswith("data:image/jpeg")
    assert "0:00:00.0 a dog" in page.text and "0:01:01.5 a dog" in page.text


def test_names_are_no_markup(tmp_path):
    name = tmp_path / 'a "b" <i> #1 100%.jpg'
    Image.new("RGB", (8, 8)).save(name)
    page = write(tmp_path / "page.html", (name, [DOG]), title="<script>alert(1)</script>")
    assert (tmp_path / unquote(page.links[0])).samefile(name)
    assert page.tags.count("script") == 1 and "i" not in page.tags
    assert "<script>alert(1)</script>" in page.text


def test_what_has_no_caption_is_left_out_and_a_lost_picture_is_named(tmp_path):
    unsure = Caption("", (), -9.0, -3.0, uncertain=True)
    entries = [
        ("a.jpg", [CaptionerError("broken")]),
        ("b.jpg", [unsure]),
        (tmp_path / "gone.jpg", [DOG]),
    ]
    page = write(tmp_path / "page.html", *entries)
    assert page.images == [] and page.links == ["gone.jpg"]


def test_an_exception_leaves_no_page(tmp_path):
    with pytest.raises(KeyboardInterrupt), open_gallery(tmp_path / "page.html"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
