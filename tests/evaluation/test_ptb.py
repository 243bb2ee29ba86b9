import json
import random
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.evaluation.tokenization import PUNCTUATION, ptb_caption

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")

# Kinds of words on which tokenizers part ways.
WORDS = """
a the dog Dog man's dogs' isn't don't it's U.S. St. Mr. Dr. etc. T-shirt black-and-white 5 12 3.5
two-year-old 1,000 5:30 5th 1990s 1990's $5 50% #1 & AT&T R&B a.m. café e-mail and/or w/ w/o
o'clock O'Neil rock'n'roll cannot gonna he'll they've we're I'm she'd ladies women's 4x4 3-D mp3
x-ray www.foo.com/bar foo.com Coca-Cola 7-Eleven ... -- - stop. sign. go! yes? wow!! hmm...
'til y'all ma'am ft. 6ft 6'2 Jr. Inc. J. D.C. tv TV's &amp; + = * @ ~ -ish don’t “dog” ‘cat’ ½ £5
ma'am's dog; cat: bird., (red) [red] 'red' "red" a.k.a. 12:30pm no. 5 stop.The
""".split()  # noqa: SIM905


def java_captions(captions: list[str]) -> list[str]:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    numbered = {number: [{"caption": text}] for number, text in enumerate(captions)}
    return [words for (words,) in PTBTokenizer().tokenize(numbered).values()]


@pytest.mark.data
@needs_java
def test_equals_java_on_every_flickr8k_caption(flickr8k):
    images = json.loads((flickr8k / "dataset_flickr8k.json").read_text())["images"]
    raw = [sentence["raw"] for image in images for sentence in image["sentences"]]
    lines = (flickr8k / "Flickr8k.token.txt").read_text().splitlines()
    raw += [line.split("\t")[1] for line in lines]
    assert len(raw) > 80_000
    assert [ptb_caption(caption) for caption in raw] == java_captions(raw)


@needs_java
def test_equals_java_on_hard_words_in_random_order():
    rng = random.Random(3)
    # The last word is plain: there Java looks into the next caption.
    captions = [" ".join([*rng.choices(WORDS, k=8), "end"]) for _ in range(2000)]
    ours = [ptb_caption(caption) for caption in captions]
    java = java_captions(captions)
    assert [c for c, a, b in zip(captions, ours, java, strict=True) if a != b] == []


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A man's dog isn't here .", "a man 's dog is n't here"),
        ("Two dogs' balls, (red) ones!", "two dogs balls -lrb- red -rrb- ones"),
        ("They cannot go, they're gonna stay...", "they can not go they 're gon na stay"),
        ("St. Bernard on Main St. at 5:30 p.m.", "st. bernard on main st. at 5:30 p.m."),
        ("A black-and-white T-shirt says AT&T!!", "a black-and-white t-shirt says at&t !!"),
        ("$5 or 50% off", "$ 5 or 50 % off"),
        ("A line\nbreak", "a line break"),
        ("", ""),
        (" . ", ""),
    ],
)
def test_known_captions(caption, words):
    assert ptb_caption(caption) == words


@settings(deadline=None)
@given(st.text())
def test_any_text_gives_clean_words(text):
    words = ptb_caption(text)
    assert words == " ".join(words.split())
    assert not PUNCTUATION & set(words.split())


@settings(deadline=None)
@given(st.lists(st.text(alphabet="abcdefgh", min_size=2, max_size=8), max_size=12))
def test_plain_words_stay_as_they_are(words):
    assert ptb_caption(" ".join(words)) == " ".join(words)
