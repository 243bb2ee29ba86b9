import pytest

from captioner.errors import CaptionerError
from captioner.evaluation.evaluation import evaluate_captions
from captioner.evaluation.tokenization import TOKENIZATIONS, caption_splitter


@pytest.mark.parametrize("tokenization", ["ptb", "karpathy", "unicode"])
def test_a_chinese_sentence_is_not_one_word(tokenization):
    assert caption_splitter(tokenization)("红色的圆") == "红 色 的 圆"


def test_french_words():
    split = caption_splitter("unicode")
    assert split("L’étoile (noire), dans l'eau.") == "l' étoile noire dans l' eau"


def test_all_are_known_and_no_other():
    assert TOKENIZATIONS == ("ptb", "karpathy", "unicode", "none")
    with pytest.raises(CaptionerError, match="choose one of ptb, karpathy, unicode, none"):
        caption_splitter("bert")


def test_chinese_captions_get_scores():
    captions = {"1": "草地上有一个红色的圆形。", "2": "雪地上有一个黑色的星形。"}
    references = {image: [text.replace("有一个", "有")] for image, text in captions.items()}
    evaluation = evaluate_captions(captions, references, tokenization="unicode", resamples=10)
    # Nine of the eleven characters of each are in its reference.
    assert evaluation.metrics["BLEU-1"].score == pytest.approx(9 / 11)
    assert any("METEOR was left out: it supports only English" in n for n in evaluation.notes)
