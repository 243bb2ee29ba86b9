import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.text.tokenizer import join_words, tokenize


@pytest.fixture(scope="module")
def karpathy_sentences(flickr8k):
    path = flickr8k / "dataset_flickr8k.json"
    images = json.loads(path.read_text(encoding="utf-8"))["images"]
    return [sentence for image in images for sentence in image["sentences"]]


@pytest.mark.data
def test_reproduces_every_token_list_of_karpathys_file(karpathy_sentences):
    assert len(karpathy_sentences) == 40_000
    different = [s["raw"] for s in karpathy_sentences if tokenize(s["raw"]) != s["tokens"]]
    assert different == []


@pytest.mark.data
def test_joined_sentences_of_flickr8k_give_their_words_back(karpathy_sentences):
    different = [
        s["tokens"] for s in karpathy_sentences if tokenize(join_words(s["tokens"])) != s["tokens"]
    ]
    assert different == []


# The first seven pairs are from Karpathy's file.
@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("A boy wearing a red t-shirt .", "a boy wearing a red t shirt"),
        ("A S.C.U.B.A. diver swims", "a scuba diver swims"),
        ("a five o'clock shadow", "a five oclock shadow"),
        ("wearing an at&t headphone", "wearing an at&t headphone"),
        ("Florida men 's basketball player # 33", "florida men s basketball player # 33"),
        ("children RIF=ding sleds", "children rif=ding sleds"),
        ("she so n't fall", "she so nt fall"),
        # The same things written without the Penn Treebank's blanks meet the same words.
        ("Florida men's basketball player #33", "florida men s basketball player # 33"),
        ("She can't fall, isn’t it?", "she ca nt fall is nt it"),
        (
            "Three lambs: one white (spotted), one black",
            "three lambs : one white ( spotted ) one black",
        ),
        ("“A café” – it’s black/white…", "a café it s black white"),
        (" .,;!?'\" - ", ""),
        ("", ""),
    ],
)
def test_tokenize(sentence, words):
    assert tokenize(sentence) == words.split()


@given(st.text())
def test_tokenize_is_idempotent(sentence):
    words = tokenize(sentence)
    assert tokenize(" ".join(words)) == words


@given(st.text())
def test_words_are_never_special_tokens(sentence):
    for token in ("<pad>", "<start>", "<end>", "<unk>"):
        assert token not in tokenize(f"{sentence} {token} {sentence}{token}")


@given(
    st.lists(st.sampled_from(["a", "man", "ca", "s", "nt", "at&t", "(", "$"])),
    st.text().map(tokenize),
)
def test_tokenize_undoes_join_words(captions_words, other_words):
    words = captions_words + other_words
    assert tokenize(join_words(words)) == words


def test_join_words():
    assert join_words(["a", "man", "s", "dog", "ca", "nt", "run"]) == "a man's dog can't run"
    assert join_words(["s", "dog"]) == "s dog"
    assert join_words([]) == ""


def test_text_imports_nothing_heavy():
    code = "import sys, captioner.text.tokenizer, captioner.text.vocabulary; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "keras", "tensorflow", "keras_nlp", "PIL"} & set(loaded)
