import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.text.tokenizer import join_words, tokenize
from captioner.text.unspaced import is_unspaced, needs_blank, space_out

# As in BERT's BasicTokenizer (tokenization.py of google-research/bert, `_is_chinese_char`).
BERT_CHINESE = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


def test_every_character_that_bert_puts_blanks_around():
    for first, last in BERT_CHINESE:
        for code in (first, (first + last) // 2, last):
            assert is_unspaced(chr(code)), hex(code)


def test_letters_of_scripts_with_blanks_stay_together():
    for word in ("étoile", "κύκλος", "круг", "원형", "دائرة", "עיגול", "वृत्त", "hình"):
        assert space_out(word) == word and not is_unspaced(word)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("草地上有一个红色的圆形。", "草 地 上 有 一 个 红 色 的 圆 形"),
        ("赤いボールです", "赤 い ボ ー ル で す"),
        ("ที่นี่", "ที่ นี่"),
        ("两个T恤", "两 个 t 恤"),
        ("「犬」、猫", "犬 猫"),
    ],
)
def test_tokenize_makes_each_character_a_word(text, words):
    assert tokenize(text) == words.split()


def test_no_blanks_come_back():
    assert join_words(tokenize("草地上有一个红色的圆形。")) == "草地上有一个红色的圆形"
    assert join_words(["a", "dog", "狗", "and", "狗"]) == "a dog狗and狗"


@given(st.text(st.characters(categories=["Lo", "Mn", "Ll", "Po"])))
def test_a_mark_keeps_its_letter(text):
    """Blanks are put before marks only where a blank or another kind of letter was."""
    for word in space_out(unicodedata.normalize("NFC", text)).split():
        assert is_unspaced(word) or not any(map(is_unspaced, word))


def test_a_mark_on_its_own_is_not_joined():
    assert needs_blank("ก", "\u0e31") and not needs_blank("ก", "ข")
