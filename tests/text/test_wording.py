import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.results import Caption
from captioner.text.wording import Wording


@pytest.mark.parametrize(
    ("wording", "expected"),
    [
        (Wording(), "a dog"),
        (Wording("photo of"), "photo of a dog"),
        (Wording("sks, "), "sks, a dog"),
        (Wording(suffix=", 35 mm"), "a dog, 35 mm"),
        (Wording(suffix="at night"), "a dog at night"),
        (Wording(case="sentence"), "A dog."),
        (Wording("Photo: ", "!", "sentence"), "Photo: a dog!"),
        (Wording("“", "”", "sentence"), "“ a dog”."),
        (Wording("élan: ", case="sentence"), "Élan: a dog."),
    ],
)
def test_texts(wording, expected):
    assert wording.write("a dog") == expected


def test_alternatives_are_worded_and_words_stay():
    cat = Caption("a cat", ("a", "cat"), -2.0, -1.0)
    dog = Caption("a dog", ("a", "dog"), -1.0, -0.5, alternatives=(cat,), span=(0.0, 1.0))
    found = Wording(case="sentence").apply(dog)
    assert (found.text, found.words, found.span) == ("A dog.", ("a", "dog"), (0.0, 1.0))
    assert found.alternatives[0].text == "A cat."


def test_what_is_withheld_stays_empty():
    withheld = Caption("", (), -1.0, -0.5, uncertain=True)
    assert Wording("photo of", case="sentence").apply(withheld) == withheld


texts = st.text(max_size=10)


@given(prefix=texts, suffix=texts, text=texts.filter(str.strip))
def test_the_caption_is_there_whole(prefix, suffix, text):
    assert text in Wording(prefix, suffix).write(text)
    sentence = Wording(prefix, suffix, "sentence").write(text)
    assert sentence.rstrip()[-1] in ".!?。！？"


def test_the_full_stop_is_that_of_the_script():
    wording = Wording(case="sentence")
    assert wording.write("红色的圆形") == "红色的圆形。"
    assert wording.write("红色的圆形。") == "红色的圆形。"
    assert wording.write("étoile noire") == "Étoile noire."
