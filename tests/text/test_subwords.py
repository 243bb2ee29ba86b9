import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.text.subwords import GOES_ON, Subwords, split_words, write_words
from captioner.text.vocabulary import SPECIAL_TOKENS, Vocabulary


def alphabet(words):
    """A vocabulary that has each character of words, and half of the words."""
    pieces = {word[:1] for word in words} | {GOES_ON + c for word in words for c in word[1:]}
    return Subwords(dict.fromkeys([*pieces, *words[::2]], 1))


@pytest.mark.parametrize(
    ("sentence", "words", "written"),
    [
        (
            "« L’étoile est-elle à 3,5 m ? »",
            "l' étoile est-elle à 3,5 m",
            "l'étoile est-elle à 3,5 m",
        ),
        ("Aujourd'hui, l'eau.", "aujourd' hui l' eau", "aujourd'hui l'eau"),
        ("Un cafe\u0301 (noir)", "un café noir", "un café noir"),
        ("'quoted' -dash- a-b", "quoted dash a-b", "quoted dash a-b"),
        ("红色的T恤，很好。", "红 色 的 t 恤 很 好", "红色的t恤很好"),
        ("¿Dónde está el perro?", "dónde está el perro", "dónde está el perro"),
        ("빨간 원이 있다.", "빨간 원이 있다", "빨간 원이 있다"),
        ("كلب، وقطة؟", "كلب وقطة", "كلب وقطة"),
        ("<unk> ##s <end>", "unk s end", "unk s end"),
        ("a\x1b[31m\u202eb\ud800", "a 31m b", "a 31m b"),
        (" .,;!?'\" - ", "", ""),
    ],
)
def test_words_and_their_writing(sentence, words, written):
    assert split_words(sentence) == words.split()
    assert write_words(words.split()) == written


def test_capitals_are_kept_if_asked():
    assert split_words("Ein Hund", keep_case=True) == ["Ein", "Hund"]
    assert split_words("Ein Hund") == ["ein", "hund"]


@given(st.text(), st.booleans())
def test_written_words_are_the_normalised_sentence(sentence, keep_case):
    words = split_words(sentence, keep_case)
    written = write_words(words)
    assert split_words(written, keep_case) == words
    assert written == unicodedata.normalize("NFC", written)
    for word in words:  # as presets demand it of their vocabularies
        assert word.split() == [word] and word.isprintable()
        assert word not in SPECIAL_TOKENS and not word.startswith(GOES_ON)


@given(st.text())
def test_any_text_comes_back_from_its_pieces(sentence):
    words = split_words(sentence)
    vocabulary = alphabet(words)
    ids = vocabulary.encode(words)
    assert vocabulary.unk_id not in ids
    assert vocabulary.decode([vocabulary.start_id, *ids, vocabulary.end_id]) == words
    assert sum(vocabulary.word_lengths(ids)) == len(ids)
    assert len(vocabulary.word_lengths(ids)) == len(words)
    assert vocabulary.join(vocabulary.decode(ids)) == write_words(words)


@given(st.text("abcé", min_size=1), st.text("xyz", min_size=1))
def test_a_word_with_an_unknown_character_is_unknown_and_harms_no_other(known, unknown):
    vocabulary = alphabet([known])
    found = vocabulary.decode(vocabulary.encode([known, unknown, known + unknown, known]))
    assert found == [known, "<unk>", "<unk>", known]


PIECES = ["un", "une", "chi", "chien", "##s", "##ne", "##en", "c", "##h", "##i", "é", "##é", "红"]


@pytest.fixture(scope="module")
def peer():
    hub = pytest.importorskip("keras_hub")
    pytest.importorskip("tensorflow_text")
    return hub.tokenizers.WordPieceTokenizer(
        vocabulary=list(Subwords(dict.fromkeys(PIECES, 1)).words),
        oov_token="<unk>",
        split=False,
        special_tokens=list(SPECIAL_TOKENS),
    )


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text("uncehisé红", min_size=1, max_size=12), min_size=20, max_size=20))
def test_pieces_are_those_of_keras_hub(peer, words):
    vocabulary = Subwords(dict.fromkeys(PIECES, 1))
    assert vocabulary.encode(words) == [int(id_) for id_ in peer(words)]


def test_continuations_at_the_beginning_are_words():
    vocabulary = Subwords({"un": 1, "##s": 1})
    s, un = (vocabulary.words.index(piece) for piece in ("##s", "un"))
    assert vocabulary.decode([s, un, s]) == ["s", "uns"]
    assert vocabulary.word_lengths([s, un, s]) == [1, 2]


def test_ids_beyond_the_pieces_are_refused():
    with pytest.raises(CaptionerError, match="word id 9"):
        Subwords({"un": 1}).decode([9])


def test_it_is_no_vocabulary_of_whole_words():
    counts = {"un": 2, "##s": 1}
    assert Subwords(counts) == Subwords(counts) != Subwords(counts, keep_case=True)
    assert Subwords(counts) != Vocabulary(counts) and Vocabulary(counts) != Subwords(counts)
    assert len({Subwords(counts), Subwords(counts), Subwords(counts, 7)}) == 2
    assert Subwords(counts, 9).token_limit(5) == 9 and Vocabulary(counts).token_limit(5) == 5


def test_inference_needs_no_tensorflow():
    code = (
        "import sys, captioner.text.subwords, captioner.search.word_rules, captioner.captioning;"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not {"tensorflow", "tensorflow_text", "keras", "keras_hub", "keras_nlp"} & set(loaded)
