from itertools import product

import numpy as np
import pytest
from random_language import RandomLanguage

from captioner.search.beam import beam_search
from captioner.search.word_rules import WordRules, token_options
from captioner.text.subwords import Subwords
from captioner.text.vocabulary import Vocabulary

# END and START of the random language have the ids 0 and 1, not those of a vocabulary.
VOCABULARY = Subwords(dict.fromkeys(["a", "b", "##a", "##b", "红"], 1))


def struck(vocabulary, tokens, **rules):
    """The tokens with which a sentence of some tokens may not go on."""
    ids = [vocabulary.words.index(token) for token in tokens]
    found = WordRules(vocabulary, **rules).forbidden(np.array([[ids]], int))
    assert (found[:2] == 0).all()
    return {vocabulary.words[id_] for id_ in found[2]}


def obeys(words, never=(), min_words=0, max_words=99, no_repeat_ngram=0, joining=(), no_double=0):
    """Whether a sentence obeys the rules, said in another way."""
    text = " ".join(["", *words, ""])
    n = no_repeat_ngram
    ngrams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)] if n else []
    return (
        min_words <= len(words) <= max_words
        and not any(" ".join(["", *phrase, ""]) in text for phrase in never)
        and len(set(ngrams)) == len(ngrams)
        and not any(f" {w} {j} {w} " in text for w in words for j in joining)
        and not (no_double and any(f" {w} {w} " in text for w in words if w != "红"))
    )


@pytest.mark.parametrize(
    "rules",
    [
        {"never": [["ab"]]},
        {"never": [["a"], ["红", "红"]]},
        {"never": [["a", "ba"]]},
        {"no_repeat_ngram": 1},
        {"no_repeat_ngram": 2},
        {"joining": ["a"]},
        {"no_double": True},
        {"min_words": 3},
        {"max_words": 2},
    ],
    ids=str,
)
def test_sentences_that_keep_the_rules_are_those_that_can_be_written(rules):
    """Every sentence of up to four pieces, token by token, against its words at the end."""
    rule = WordRules(VOCABULARY, **rules)
    tokens = range(4, len(VOCABULARY))
    obeyed = 0
    for length in (1, 2, 3, 4):
        for ids in product(tokens, repeat=length):
            if VOCABULARY.words[ids[0]].startswith("##"):
                continue
            steps = [*ids, VOCABULARY.end_id]
            possible = all(
                step not in rule.forbidden(np.array([[ids[:place]]], int))[2]
                for place, step in enumerate(steps)
            )
            words = VOCABULARY.decode(ids)
            # A forbidden word is stopped as it is completed, also where it would go on.
            begun = [VOCABULARY.decode(ids[: end + 1]) for end in range(length)]
            partial = {k: v for k, v in rules.items() if k != "min_words"}
            expected = obeys(words, **rules) and all(obeys(part, **partial) for part in begun)
            assert possible == expected, words
            obeyed += possible
    assert obeyed > 10


def test_the_piece_that_completes_a_word_is_struck():
    assert struck(VOCABULARY, ["b", "a"], never=[["ab"]]) == {"##b"}
    assert struck(VOCABULARY, ["a", "##b"], never=[["ab"]]) == set()
    assert struck(VOCABULARY, [], never=[["a"]]) == {"a"}
    assert struck(VOCABULARY, ["红"], never=[["红", "红"]]) == {"红"}


def test_a_chinese_character_may_come_twice_in_a_row():
    assert struck(VOCABULARY, ["红"], no_double=True) == set()
    assert struck(VOCABULARY, ["a", "##b", "a"], no_double=True) == {"a", "##b"}


def test_capitals_do_not_matter():
    vocabulary = Subwords({"Ein": 3, "Hund": 2, "H": 1, "##und": 1}, keep_case=True)
    assert struck(vocabulary, ["Ein"], never=[["hund"]]) == {"Hund"}
    assert struck(vocabulary, ["Ein", "H"], never=[["hund"]]) == {"Hund", "##und"}


@pytest.mark.parametrize("seed", range(3))
def test_the_search_obeys(seed):
    """Beam search with the rules, over sentences of a random language."""
    vocabulary = Subwords(dict.fromkeys(["a", "##a", "b", "##b", "c"], 1))
    language = RandomLanguage(seed, images=[3, 4], vocabulary_size=len(vocabulary), max_length=8)
    rules = {"never": [["ab"], ["c", "a"]], "max_words": 3, "min_words": 2, "no_double": True}
    found = beam_search(
        language.step(),
        language.begin(),
        start_id=vocabulary.start_id,
        end_id=vocabulary.end_id,
        beam_width=6,
        num_captions=6,
        max_length=8,
        suppressed_ids=vocabulary.unspoken_ids,
        rules=WordRules(vocabulary, **rules),
    )
    sentences = [vocabulary.decode(h.token_ids) for own in found for h in own]
    assert len(sentences) > 4
    for words in sentences:
        assert obeys(words, **rules), words


@pytest.mark.parametrize("words", [3, 4, 5])
def test_lengths_are_counted_in_words(words):
    vocabulary = Subwords({"a": 3, "b": 2, "##c": 1}, most_pieces=30)
    found = token_options(vocabulary, {"max_length": 5, "min_length": 4, "never": ["AB!", "?"]})
    assert found["max_length"] == 30 and "min_length" not in found and "never" not in found
    ids = vocabulary.encode((["ac", "b"] * 3)[:words])
    assert len(ids) > words
    stopped = set(found["rules"].forbidden(np.array([[ids]]))[2].tolist())
    assert (vocabulary.end_id in stopped) == (words < 4)
    assert (set(vocabulary.encode(["a", "b"])) <= stopped) == (words == 5)
    assert vocabulary.words.index("##c") not in stopped


def test_whole_words_may_be_forbidden_as_a_phrase():
    """A Chinese word is several characters, each of them a word of the vocabulary."""
    vocabulary = Vocabulary({"红": 2, "色": 1, "dog": 1, "and": 1})
    found = token_options(vocabulary, {"never": ["红色", "dog", "cat"], "max_length": 5})
    assert found["suppressed_ids"] == (0, 1, 3, *vocabulary.encode(["dog"]))
    assert found["joining_ids"] == vocabulary.encode(["and"])
    red, colour = vocabulary.encode(["红", "色"])
    assert found["rules"].forbidden(np.array([[[red]]]))[2].tolist() == [colour]
    assert found["rules"].forbidden(np.array([[[colour]]]))[2].tolist() == []
    assert token_options(vocabulary, {"never": ["dog"]})["rules"] is None
