import json

import pytest

from captioner.text.english import is_english

# Written in the manner of Multi30k's captions.
OTHERS = {
    "French": "Un homme en chemise bleue est sur une échelle. Deux chiens jouent dans la neige. "
    "On voit un enfant à la plage.",
    "German": "Ein Mann in einem blauen Hemd steht auf einer Leiter. Zwei Hunde spielen im Schnee. "
    "Ein Kind war am Strand.",
    "Spanish": "Un hombre con camisa azul está en una escalera. Dos perros juegan en la nieve.",
    "Italian": "Un uomo con una camicia blu sale su una scala. Un cane corre in un campo.",
    "Dutch": "Een man in een blauw hemd staat op een ladder. Twee honden spelen in de sneeuw.",
    "Chinese": "草地上有一个红色的圆形。两只狗在雪地里玩。",
    "Russian": "Мужчина в синей рубашке стоит на лестнице.",
}


@pytest.mark.parametrize("language", OTHERS)
def test_other_languages(language):
    assert not is_english(OTHERS[language].split(". "))


@pytest.mark.parametrize(
    "sentences",
    [
        ["A man in a blue shirt is on a ladder.", "Two dogs play in the snow."],
        ["a red circle on grass"],
        ["dogs running through the snow"],
    ],
)
def test_english(sentences):
    assert is_english(sentences)


def test_nothing_is_not_english():
    assert not is_english([]) and not is_english(["..."])


@pytest.mark.data
def test_every_ten_pictures_of_flickr8k_are_english(flickr8k):
    content = json.loads((flickr8k / "dataset_flickr8k.json").read_text(encoding="utf-8"))
    texts = [[s["raw"] for s in image["sentences"]] for image in content["images"]]
    for first in range(0, len(texts), 10):
        assert is_english(text for own in texts[first : first + 10] for text in own), first
