import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from captioner.errors import CaptionerError
from captioner.evaluation.evaluation import evaluate_captions
from captioner.evaluation.image_scores import image_scores
from captioner.evaluation.page import write_page
from captioner.evaluation.score_table import metric_table

IMAGES = 40
VOID = {"meta", "img", "br", "rect", "line"}


class Elements(HTMLParser):
    """Checks that tags are balanced, and keeps what links outside could be in."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses = [], []

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag


@pytest.fixture
def evaluation():
    rng = np.random.default_rng(1)
    words = np.array(["a", "the", "dog", "cat", "runs", "on", "grass", "</script>", "$data", "&"])
    captions = {str(n): " ".join(rng.choice(words, 6)) for n in range(IMAGES)}
    references = {n: [" ".join(rng.choice(words, 6)) for _ in range(2)] for n in captions}
    return evaluate_captions(captions, references, name="<mine>", tokenization="none", resamples=50)


def test_the_page_stands_alone_and_holds_the_numbers(evaluation, tmp_path):
    pictures = {}
    for image in list(evaluation.captions)[:-1]:
        pictures[image] = tmp_path / f"{image}.png"
        Image.new("RGB", (900, 600), (int(image) * 5, 90, 90)).save(pictures[image])
    pictures["3"].write_bytes(b"no picture")
    write_page(evaluation, tmp_path / "page.html", pictures)
    page = (tmp_path / "page.html").read_text()

    elements = Elements()
    elements.feed(page)
    assert elements.open == []
    assert elements.addresses == []
    assert "http" not in re.sub(r"base64,[\w+/=]+", "", page)
    assert "&lt;mine&gt;" in page and "<mine>" not in page
    for name, metric in evaluation.metrics.items():
        assert f"<tr><th>{name}</th><td>{100 * metric.score:.1f}</td>" in page

    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["groups"].keys() == evaluation.metrics.keys()
    scores_of = image_scores(evaluation)
    for name, groups in data["groups"].items():
        scores = [own[name] for own in scores_of.values()]
        best = [scores_of[image][name] for image in groups["Best"]]
        worst = [scores_of[image][name] for image in groups["Worst"]]
        assert best == sorted(scores, reverse=True)[: len(best)]
        assert worst == sorted(scores)[: len(worst)]
        assert {image for group in groups.values() for image in group} <= data["images"].keys()
    for image, shown in data["images"].items():
        assert shown["scores"] == pytest.approx(scores_of[image], abs=5e-5)
        assert shown["caption"] == evaluation.captions[image]
        assert shown["references"] == evaluation.references[image]
        if image in ("3", str(IMAGES - 1)):
            assert shown["thumbnail"] == ""
        else:
            assert shown["thumbnail"].startswith("data:image/jpeg;base64,")


def test_few_images_are_all_shown(tmp_path):
    few = evaluate_captions({"1": "a dog", "2": "a cat"}, {"1": ["a dog"], "2": ["one dog"]})
    write_page(few, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["groups"]["CIDEr"] == {"All": ["1", "2"]}


def test_a_page_that_cannot_be_written_is_named(evaluation, tmp_path):
    with pytest.raises(CaptionerError, match="nowhere"):
        write_page(evaluation, tmp_path / "nowhere" / "page.html")


def test_the_table_lines_up_and_says_what_was_left_out(evaluation):
    lines = metric_table(evaluation).splitlines()
    table = lines[: lines.index("")]
    assert len({len(line) for line in table}) == 1
    score = 100 * evaluation.metrics["BLEU-1"].score
    low, high = (100 * end for end in evaluation.intervals["BLEU-1"])
    assert re.fullmatch(rf"\| BLEU-1 +\| +{score:.1f} \| +{low:.1f} to {high:.1f} \|", table[2])
    assert any(line.startswith("METEOR was left out") for line in lines)
