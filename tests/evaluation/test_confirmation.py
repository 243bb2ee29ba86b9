from captioner.evaluation.confirmation import confirmed_share


def test_content_words_count_alone():
    references = [["two", "dogs", "run"], ["dogs", "in", "the", "snow"]]
    assert confirmed_share(["two", "dogs", "in", "a", "field"], references) == 2 / 3
    assert confirmed_share(["a", "cat"], references) == 0
    assert confirmed_share(["dogs", "dogs", "cat"], references) == 2 / 3
    assert confirmed_share(["in", "the"], references) == 0
