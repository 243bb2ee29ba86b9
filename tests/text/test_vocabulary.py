import json
import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.text.vocabulary import SPECIAL_TOKENS, Vocabulary

CAPTIONS = [["a", "dog", "runs"], ["a", "cat"], ["a", "dog", "and", "a", "cat"]]

words = st.text(min_size=1).filter(lambda word: word not in SPECIAL_TOKENS)
vocabularies = st.dictionaries(words, st.integers(1, 9), max_size=20).map(Vocabulary)


def test_build_counts_and_ranks():
    vocabulary = Vocabulary.build(CAPTIONS, min_count=2)
    assert vocabulary.words == ("<pad>", "<start>", "<end>", "<unk>", "a", "cat", "dog")
    assert vocabulary.counts == {"a": 4, "cat": 2, "dog": 2}
    ids = (vocabulary.pad_id, vocabulary.start_id, vocabulary.end_id, vocabulary.unk_id)
    assert ids == (0, 1, 2, 3)
    assert len(vocabulary) == 7
    assert "cat" in vocabulary and "<end>" in vocabulary and "runs" not in vocabulary


@given(st.lists(st.lists(st.sampled_from("abcdefg"), max_size=8), max_size=20), st.integers(1, 4))
def test_build_keeps_exactly_the_frequent_words(captions, min_count):
    frequent = {w for w, n in Counter(chain(*captions)).items() if n >= min_count}
    if not frequent:
        with pytest.raises(CaptionerError, match="smaller min_count"):
            Vocabulary.build(captions, min_count)
        return
    vocabulary = Vocabulary.build(iter(captions), min_count)
    assert set(vocabulary.words[4:]) == frequent
    assert vocabulary == Vocabulary.build(captions[::-1], min_count)


def test_special_tokens_in_captions_keep_their_ids():
    vocabulary = Vocabulary.build([["<end>", "a", "<pad>"]], min_count=1)
    assert vocabulary.words == (*SPECIAL_TOKENS, "a")


@given(vocabularies, st.data())
def test_decode_undoes_encode(vocabulary, data):
    known = vocabulary.words[4:] or ["<unk>"]
    caption = data.draw(st.lists(st.sampled_from(known)))
    ids = vocabulary.encode(caption)
    assert vocabulary.decode(ids) == caption
    padded = [vocabulary.start_id, *ids, vocabulary.end_id, *ids, vocabulary.pad_id]
    assert vocabulary.decode(padded) == caption
    assert vocabulary.decode(np.array(padded, dtype="int32")) == caption


def test_unknown_words():
    vocabulary = Vocabulary({"a": 2, "dog": 1})
    assert vocabulary.encode(["a", "zebra"]) == [4, 3]
    assert vocabulary.decode([4, 3]) == ["a", "<unk>"]


@pytest.mark.parametrize("id_", [-1, 5])
def test_decode_refuses_ids_of_another_vocabulary(id_):
    with pytest.raises(CaptionerError, match=f"word id {id_} is not among the 5"):
        Vocabulary({"a": 1}).decode([4, id_])


@given(vocabularies)
def test_load_undoes_save(vocabulary):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocabulary.json"
        vocabulary.save(path)
        loaded = Vocabulary.load(path)
        assert [file.name for file in Path(folder).iterdir()] == ["vocabulary.json"]
    assert loaded == vocabulary
    assert loaded.words == vocabulary.words
    assert hash(loaded) == hash(vocabulary)


def test_file_has_one_readable_word_a_line(tmp_path):
    Vocabulary({"café": 7, "dog": 3}).save(tmp_path / "vocabulary.json")
    lines = (tmp_path / "vocabulary.json").read_text(encoding="utf-8").splitlines()
    assert [line.strip() for line in lines[-5:]] == [
        '"words": {',
        '"café": 7,',
        '"dog": 3',
        "}",
        "}",
    ]


def test_equality():
    vocabulary = Vocabulary({"a": 2, "b": 1})
    assert vocabulary == Vocabulary({"b": 1, "a": 2})
    assert vocabulary != Vocabulary({"a": 2})
    assert vocabulary != vocabulary.words


SPECIAL = '"special": ["<pad>", "<start>", "<end>", "<unk>"]'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not a vocabulary"),
        ("{" + SPECIAL, "is not a vocabulary"),
        ("[1, 2]", "lacks the special tokens"),
        ('{"words": {"a": 1}}', "lacks the special tokens"),
        ('{"special": ["<pad>", "<end>"], "words": {"a": 1}}', "lacks the special tokens"),
        ("{" + SPECIAL + "}", "lacks a count"),
        ("{" + SPECIAL + ', "words": ["a"]}', "lacks a count"),
        ("{" + SPECIAL + ', "words": {"a": "1"}}', "lacks a count"),
        ("{" + SPECIAL + ', "words": {"a": 2, "b": 1, "a": 1}}', '"a" occurs twice'),
        ("{" + SPECIAL + ', "words": {"a": 1, "b": 2}}', "not in the order of their counts"),
        ("{" + SPECIAL + ', "words": {"b": 1, "a": 1}}', "not in the order of their counts"),
        ("{" + SPECIAL + ', "words": {"<end>": 1}}', "not in the order of their counts"),
    ],
)
def test_load_refuses_broken_files(tmp_path, text, complaint):
    path = tmp_path / "vocabulary.json"
    path.write_text(text)
    with pytest.raises(CaptionerError) as caught:
        Vocabulary.load(path)
    assert complaint in str(caught.value) and str(path) in str(caught.value)


def test_load_refuses_missing_and_binary_files(tmp_path):
    with pytest.raises(CaptionerError, match=r"cannot read .*none\.json .*restore it"):
        Vocabulary.load(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaptionerError, match="is not a vocabulary"):
        Vocabulary.load(tmp_path / "binary.json")


def test_save_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "vocabulary.json"
    Vocabulary({"a": 1}).save(path)
    with pytest.raises(CaptionerError, match="cannot write"):
        Vocabulary({"\ud800": 1}).save(path)  # Half a surrogate pair has no UTF-8.
    assert Vocabulary.load(path) == Vocabulary({"a": 1})
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(CaptionerError, match="cannot write"):
        Vocabulary({"a": 1}).save(tmp_path / "nowhere" / "vocabulary.json")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.text("abcxyz0123456789é", min_size=1, max_size=8), min_size=1, max_size=9),
        min_size=1,
        max_size=9,
    )
)
def test_ids_agree_with_keras_nlp(captions):
    from keras_nlp.tokenizers import WordPieceTokenizer

    vocabulary = Vocabulary.build(captions, min_count=1)
    peer = WordPieceTokenizer(
        vocabulary=list(vocabulary.words), oov_token="<unk>", special_tokens=list(SPECIAL_TOKENS)
    )
    ids = [np.asarray(row).tolist() for row in peer([" ".join(caption) for caption in captions])]
    assert [vocabulary.encode(caption) for caption in captions] == ids


def test_words_survive_json_of_other_programs(tmp_path):
    path = tmp_path / "vocabulary.json"
    Vocabulary({"a": 3, "dog": 1}).save(path)
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert Vocabulary.load(path).encode(["dog", "a"]) == [5, 4]
