import pytest

from captioner.text.english import content_stems, mentioned_shares


@pytest.mark.parametrize(
    ("one", "other"), [("dogs", "dog"), ("running", "runs"), ("bicycles", "bicycle")]
)
def test_forms_of_a_word_are_one(one, other):
    assert content_stems([one]) == content_stems([other]) != set()


def test_grammar_and_counts_are_no_content():
    assert content_stems(["there", "are", "two", "of", "them", "on", "the", "<unk>"]) == set()


def test_a_word_said_twice_in_a_caption_is_mentioned_once():
    captions = [["a", "dog", "and", "a", "dog"], ["a", "cat"], ["dogs"], ["grass"]]
    assert mentioned_shares(captions) == {"dog": 0.5, "cat": 0.25, "grass": 0.25}
