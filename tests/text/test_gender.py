import pytest

from captioner.text.wording import names_one_gender, other_gender, without_gender


def on(function, text):
    found = function(text.split())
    return " ".join(found) if isinstance(found, list) else found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a man in a red shirt", "a person in a red shirt"),
        ("two women and three girls", "two people and three children"),
        ("an old woman with her dog", "an old person with their dog"),
        ("he is happy and she has a dog", "they are happy and they have a dog"),
        ("a boy throws a ball to him", "a child throws a ball to them"),
        ("a male athlete", "an athlete"),
        ("a female", "a person"),
        ("an actress and a waitress", "an actor and a waiter"),
        ("a guy looks at himself", "a person looks at themselves"),
        ("a dog on a bed", "a dog on a bed"),
        ("a woman with a umbrella", "a person with a umbrella"),
        ("", ""),
    ],
)
def test_neutral_words(text, expected):
    assert on(without_gender, text) == expected
    assert not on(names_one_gender, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a man and his dog", "a woman and her dog"),
        ("two girls", "two boys"),
        ("a woman with a phone in his hand", "a man with a phone in his hand"),
        ("she runs", "he runs"),
        ("a lady in a hat", "a guy in a hat"),
    ],
)
def test_the_other_gender(text, expected):
    assert on(names_one_gender, text)
    assert on(other_gender, text) == expected


@pytest.mark.parametrize("text", ["a man and a woman", "a dog", "an actor", "he and she", ""])
def test_of_both_or_none_there_is_no_other(text):
    assert not on(names_one_gender, text)
    assert on(other_gender, text) == text
