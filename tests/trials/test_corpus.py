from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.slow
def test_every_bad_input_is_a_caption_or_a_clear_error(tiny_preset, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from trials.corpus import try_corpus, write_corpus

    expected = write_corpus(tmp_path / "corpus")
    counts, wrong = try_corpus(expected, ["--preset", str(tiny_preset), "--beam-width", "1"])
    print(dict(counts))
    assert wrong == []
    assert counts["inputs"] == counts["captions"] + counts["errors"] > 400
    assert min(counts["captions"], counts["errors"]) > 100


def test_the_count_finds_what_is_not_as_due(tiny_preset, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from trials.bad_images import picture
    from trials.corpus import try_corpus

    picture().save(tmp_path / "a.jpg")
    expected = {str(tmp_path / "a.jpg"): "error", str(tmp_path / "missing.jpg"): "caption"}
    counts, wrong = try_corpus(expected, ["--preset", str(tiny_preset)])
    assert (counts["else"], len(wrong)) == (2, 2)
