import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem import PorterStemmer

from captioner.fingerprint import Fingerprint
from captioner.library.collection import Library
from captioner.library.query import search
from captioner.results import Caption
from captioner.text.english import FUNCTION_WORDS

SENTENCES = {
    "1.jpg": "two dogs are running on the beach",
    "2.jpg": "a dog on a bed",
    "3.jpg": "a red car on the beach",
    "4.jpg": "a car beside a red house",
    "5.jpg": "a café at night",
}


def fill(path, sentences):
    with Library(path, create=True) as library:
        for number, (name, text) in enumerate(sentences.items()):
            content = Fingerprint(1, number, f"{number:064}")
            library.put(str(path.parent / name), content, [Caption(text, (), -1.0, -1.0)], "tiny")


@pytest.fixture
def library(tmp_path):
    fill(tmp_path / "photos.db", SENTENCES)
    with Library(tmp_path / "photos.db") as library:
        yield library


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dog on a beach", "1"),
        ("DOGS", "12"),
        ("running dog", "1"),
        ("run", "1"),
        ("red car", "34"),
        ('"red car"', "3"),
        ("beach -dog", "3"),
        ("beach -car -dogs", ""),
        ("cafe", "5"),
        ("on", "123"),
        ("zebra", ""),
        ("", "12345"),
        ('"', ""),
        ("dog OR car", ""),
        ("a* NEAR(dog", ""),
        ("dog's beach", ""),
    ],
)
def test_finds(library, query, expected):
    found = "".join(sorted(row["path"][0] for row in search(library, query)))
    assert found == expected


def test_a_correction_is_found_and_the_false_caption_is_not(library):
    library.correct(str(library.locate("2.jpg")), "our Rex sleeps")
    assert [row["path"] for row in search(library, "sleeping rex")] == ["2.jpg"]
    assert [row["path"] for row in search(library, "bed")] == []
    library.correct(str(library.locate("2.jpg")), None)
    assert [row["path"] for row in search(library, "bed")] == ["2.jpg"]


def test_limit_and_what_is_gone(library):
    assert len(search(library, "beach", limit=1)) == len(search(library, "", limit=1)) == 1
    library.mark_removed([str(library.path.parent)])
    assert search(library, "beach") == search(library, "") == []


@settings(deadline=None, max_examples=60)
@given(query=st.text(st.characters(codec="utf-8"), max_size=20))
def test_no_query_is_an_error(tmp_path_factory, query):
    path = tmp_path_factory.mktemp("library") / "photos.db"
    fill(path, {"1.jpg": "a dog"})
    with Library(path) as library:
        search(library, query)


words = st.sampled_from(["dog", "dogs", "runs", "running", "beach", "car", "red", "a", "on", "the"])


@settings(deadline=None, max_examples=30)
@given(
    sentences=st.lists(st.lists(words, min_size=1, max_size=6), min_size=1, max_size=6),
    query=st.lists(words, min_size=1, max_size=3),
)
def test_finds_what_a_loop_over_stems_finds(tmp_path_factory, sentences, query):
    path = tmp_path_factory.mktemp("library") / "photos.db"
    fill(path, {f"{i}.jpg": " ".join(sentence) for i, sentence in enumerate(sentences)})
    stem = PorterStemmer("ORIGINAL_ALGORITHM").stem
    content = [word for word in query if word not in FUNCTION_WORDS] or query
    expected = [
        f"{i}.jpg"
        for i, sentence in enumerate(sentences)
        if {stem(word) for word in content} <= {stem(word) for word in sentence}
    ]
    with Library(path) as library:
        found = [row["path"] for row in search(library, " ".join(query))]
    assert sorted(found) == sorted(expected)
    assert all(re.fullmatch(r"\d+\.jpg", Path(name).name) for name in found)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("红色", ["1.jpg", "3.jpg"]),
        ("红色 -狗", ["3.jpg"]),
        ("红色 的圆", ["3.jpg"]),
        ('"红色的狗"', ["1.jpg"]),
        ("T恤", ["2.jpg"]),
        ("蓝色", []),
        ("红色 -dog", ["1.jpg", "3.jpg"]),
        ("dog 狗", ["4.jpg"]),
        ("%", []),
    ],
)
def test_words_of_a_script_without_spaces_are_found_within_a_caption(tmp_path, query, expected):
    fill(
        tmp_path / "photos.db",
        {"1.jpg": "红色的狗", "2.jpg": "一件蓝T恤", "3.jpg": "一个红色的圆", "4.jpg": "狗 dog"},
    )
    with Library(tmp_path / "photos.db") as library:
        found = [Path(row["path"]).name for row in search(library, query)]
    assert found == expected
