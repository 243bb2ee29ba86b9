from pathlib import Path

import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.media.sources import read_clips
from captioner.reports.clip_figure import draw_clip_attention, stack_drawings
from captioner.reports.explained import ExplainedCaption
from captioner.reports.figure import draw_attention
from captioner.results import Caption

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
CAT = str(SAMPLES / "cat.jpg")
ATTENTION = np.eye(49, dtype=np.float32)[[0, 24, 48], np.newaxis]
SAID = Caption("a cat sleeps", ("a", "cat", "sleeps"), -1.0, -0.5, ATTENTION)


def test_the_figure_has_the_picture_and_a_map_for_each_word(tmp_path):
    out = tmp_path / "why.png"
    ExplainedCaption(out).write(CAT, [SAID])
    expected = draw_attention(load_image(CAT), SAID.words, ATTENTION, 6)
    np.testing.assert_array_equal(load_image(out), np.asarray(expected))
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        (Caption("a cat", ("a", "cat"), -1.0, -0.5), "no attention"),
        (Caption("", (), -1.0, -0.5, uncertain=True), "no confident caption"),
    ],
)
def test_what_cannot_be_explained(caption, reason, tmp_path):
    with pytest.raises(CaptionerError, match=reason):
        ExplainedCaption(tmp_path / "why.png").write(CAT, [caption])
    assert list(tmp_path.iterdir()) == []


def test_one_picture_alone(tmp_path):
    explained = ExplainedCaption(tmp_path / "why.png")
    explained.write("broken.jpg", [CaptionerError("broken")])
    explained.write(CAT, [SAID])
    with pytest.raises(
        CaptionerError, match=r"why\.png already explains the caption of .*cat\.jpg, so"
    ):
        explained.write(CAT, [SAID])
    assert not explained.wants("-")


def said_of(clips):
    """Captions of three words, whose attention wanders from frame to frame."""
    for clip in clips:
        attention = np.zeros((3, len(clip.frames), 49), np.float32)
        for word in range(3):
            attention[word, word % len(clip.frames), 24] = 1
        yield Caption("a cat sleeps", SAID.words, -1.0, -0.5, attention, span=clip.span)


@pytest.mark.slow
@pytest.mark.parametrize(("every", "shots"), [(None, 2), (np.inf, 1), (0.5, 4)])
def test_of_a_clip_the_frames_are_those_that_were_described(every, shots, tmp_path):
    film = str(SAMPLES / "shepherd_and_cat.mp4")
    clips = list(read_clips(film, (224, 224), every, 3))
    captions = list(said_of(clips))
    out = tmp_path / "why.png"
    explained = ExplainedCaption(out, every, frames=3)
    explained.write(film, captions)
    drawings = [
        draw_clip_attention(clip.frames, clip.times, said.words, said.attention, 320 / 240)
        for clip, said in list(zip(clips, captions, strict=True))[:4]
    ]
    assert len(drawings) == shots
    np.testing.assert_array_equal(load_image(out), np.asarray(stack_drawings(drawings)))
    assert ["4 of 8 shots" in line for line in explained.summary()] == [True] * (every == 0.5)


def test_a_clip_that_has_changed_since(tmp_path):
    film = str(SAMPLES / "shepherd_and_cat.mp4")
    (said,) = said_of(list(read_clips(film, (224, 224), np.inf)))
    for path in (film, CAT):  # it has two shots; it is no clip any more
        with pytest.raises(CaptionerError, match="has changed"):
            ExplainedCaption(tmp_path / "why.png").write(path, [said])


def test_a_picture_that_was_cut_off_is_explained_by_what_is_there(tmp_path):
    content = Path(CAT).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) * 9 // 10])
    out = tmp_path / "why.png"
    ExplainedCaption(out).write(str(tmp_path / "cut.jpg"), [SAID])
    assert out.exists()
