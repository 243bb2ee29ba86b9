import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import captioner
from captioner import Captioner, CaptionerError
from captioner.media.clip import Clip
from captioner.media.image import load_image

SAMPLES = sorted(Path("data/samples").glob("*.jpg"))
FILM = Path("data/samples/shepherd_and_cat.mp4")


@pytest.fixture(scope="module")
def tiny(tiny_preset):
    return Captioner.from_preset(tiny_preset, precision="float32")


def test_the_package_is_cheap_to_import():
    code = "import captioner, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"tensorflow", "keras", "numpy", "PIL"} & set(loaded.stdout.split())


def test_public_names_are_there():
    assert {getattr(captioner, name) is not None for name in captioner.__all__} == {True}
    with pytest.raises(AttributeError, match="no attribute 'Captain'"):
        _ = captioner.Captain


def test_one_picture_in_any_form_gives_the_same_caption(tiny):
    path = SAMPLES[0]
    with Image.open(path) as image:
        sources = [path, str(path), path.read_bytes(), image.copy(), np.asarray(image)]
    captions = [tiny.generate(source) for source in sources]
    assert all(len(found) == 1 for found in captions)
    # Only a file can be decoded at a fraction of its size.
    texts = [found[0].text for found in captions]
    assert texts[0] == texts[1] == texts[2]
    assert texts[3] == texts[4]


def test_captions_come_in_the_order_of_the_pictures(tiny):
    together = tiny.generate(SAMPLES, batch_size=4)
    alone = [tiny.generate(path)[0] for path in SAMPLES]
    assert [caption.words for caption in together] == [caption.words for caption in alone]
    assert [c.log_prob for c in together] == pytest.approx([c.log_prob for c in alone], abs=1e-3)


def test_alternatives_fall_in_score_and_differ(tiny):
    best = tiny.generate(SAMPLES[0], num_captions=5)[0]
    ranked = [best, *best.alternatives]
    assert len({caption.words for caption in ranked}) == len(ranked) == 5
    scores = [caption.score for caption in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(c.score == pytest.approx(c.log_prob / (len(c.words) + 1) ** 0.7) for c in ranked)


def test_attention_has_a_map_for_each_word(tiny):
    caption = tiny.generate(SAMPLES[0])[0]
    assert caption.attention.shape == (len(caption.words), 1, 49)
    np.testing.assert_allclose(caption.attention.sum((1, 2)), 1, atol=1e-5)


def test_options_reach_the_search(tiny):
    assert all(len(c.words) <= 2 for c in tiny.generate(SAMPLES, max_length=2, min_length=1))
    assert all(len(c.words) >= 5 for c in tiny.generate(SAMPLES, min_length=5))


def test_a_bad_picture_never_stops_the_stream(tiny, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"bad")
    images = [SAMPLES[0], tmp_path / "bad.jpg", SAMPLES[1], tmp_path / "absent.jpg"]
    results = list(tiny.stream(images, batch_size=3))
    assert [isinstance(result, CaptionerError) for result in results] == [False, True, False, True]
    assert "bad.jpg" in str(results[1])
    with pytest.raises(CaptionerError, match=r"bad\.jpg"):
        tiny.generate(images)


def test_no_pictures_are_no_captions(tiny):
    assert tiny.generate([]) == []


def test_a_picture_is_a_clip_of_one_frame(tiny):
    picture = tiny.generate(SAMPLES[0])[0]
    frame = np.asarray(Image.open(SAMPLES[0]).convert("RGB"))
    clip = tiny.generate(Clip(frame[np.newaxis], np.zeros(1), (0.0, 1.0)))[0]
    still = tiny.generate(Clip(np.stack([frame] * 5), np.arange(5.0), (0.0, 5.0)))[0]
    assert picture.span is None
    assert clip.span == (0.0, 1.0)
    assert still.attention.shape == (len(still.words), 5, 49)
    # Looking five times at one thing is to look at it once.
    for same in (clip, still):
        assert same.words == tiny.generate(frame)[0].words
        assert same.log_prob == pytest.approx(tiny.generate(frame)[0].log_prob, abs=1e-3)


def test_clips_of_any_length_do_not_touch_each_other(tiny):
    frames = np.stack([np.asarray(Image.open(p).convert("RGB").resize((64, 64))) for p in SAMPLES])
    clips = [
        Clip(frames[a:b], np.arange(b - a), (0.0, float(b - a)))
        for a, b in ((0, 1), (1, 6), (2, 4))
    ]
    together = tiny.generate([*clips, SAMPLES[0]], batch_size=20)
    alone = [tiny.generate(source)[0] for source in (*clips, SAMPLES[0])]
    for ours, theirs in zip(together, alone, strict=True):
        assert ours.words == theirs.words
        assert ours.log_prob == pytest.approx(theirs.log_prob, abs=1e-3)
        np.testing.assert_allclose(ours.attention, theirs.attention, atol=1e-4)


@pytest.mark.parametrize("trained_on", ["pictures", "clips"])
def test_a_decoder_of_pictures_is_given_smooth_frames(tiny_preset, trained_on):
    captioner = Captioner.from_preset(tiny_preset, precision="float32")
    if trained_on == "clips":
        captioner.writer.frames = 3
    frames = np.stack([load_image(path, size=captioner.image_size) for path in SAMPLES[:3]])
    (caption,) = captioner.generate(Clip(frames, np.arange(3), (0.0, 3.0)))
    features = captioner.writer.engine.encode(frames[:, np.newaxis])[:, 0]  # (T, P, C)
    given = {"clips": features, "pictures": 0.75 * features + 0.25 * features.mean(axis=0)}
    log_probs = {
        name: captioner.caption_features([each])[0].log_prob for name, each in given.items()
    }
    assert log_probs["clips"] != pytest.approx(log_probs["pictures"], abs=1e-3)
    assert caption.log_prob == pytest.approx(log_probs[trained_on], abs=1e-4)


def test_films_and_pictures_in_one_stream(tiny, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"bad")
    sources = [FILM, SAMPLES[0], tmp_path / "bad.mp4", FILM]
    found = [
        (r.index, r.last, r.frames, r.caption.span)
        for r in tiny.describe(sources)
        if r.source == sources[r.index] and not isinstance(r.caption, CaptionerError)
    ]
    shots = [(False, 8, (0.0, 2.0)), (True, 8, (2.0, 4.0))]
    assert found == [
        *((0, *shot) for shot in shots),
        (1, True, 1, None),
        *((3, *shot) for shot in shots),
    ]
    assert [caption.span for caption in tiny.generate(FILM, every=math.inf)] == [(0.0, 4.0)]
    spans = [caption.span for caption in tiny.generate(FILM, every=1.5)]
    assert spans == [(0.0, 1.5), (1.5, 3.0), (3.0, 4.0)]


def test_save_to_preset_round_trip(tiny, tmp_path):
    tiny.save_to_preset(tmp_path / "copy")
    copy = Captioner.from_preset(tmp_path / "copy", precision="float32")
    assert copy.generate(SAMPLES[0])[0].text == tiny.generate(SAMPLES[0])[0].text


def test_with_its_mirror_image_a_picture_is_described_as_its_mirror_image_is(tiny):
    with Image.open(SAMPLES[0]) as image:
        pixels = np.asarray(image.convert("RGB").resize(tiny.image_size))
    clips = [Clip(view[np.newaxis], np.zeros(1)) for view in (pixels, pixels[:, ::-1])]
    one, other = (tiny.generate(clip, mirror=True)[0] for clip in clips)
    alone = tiny.generate(clips[0])[0]
    assert one.words == other.words
    assert one.log_prob == pytest.approx(other.log_prob, abs=1e-3)
    assert one.log_prob != pytest.approx(alone.log_prob, abs=1e-3)
    looks, mirrored = (caption.attention.reshape(-1, 7, 7) for caption in (one, other))
    assert looks.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(looks, mirrored[:, :, ::-1], atol=1e-4)


def test_the_mirror_images_of_a_film_are_frames_of_it(tiny):
    plain, mirrored = (tiny.generate(FILM, mirror=mirror) for mirror in (False, True))
    assert [caption.span for caption in plain] == [caption.span for caption in mirrored]
    for a, b in zip(plain, mirrored, strict=True):
        assert a.attention.shape[1:] == b.attention.shape[1:]
        assert b.attention.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-4)


@pytest.fixture(scope="module")
def calibrated(tiny):
    """The same captioner with a confidence of about one half."""
    curve = {"intercept": 0.0, "slope": 0.01}
    return Captioner(
        replace(tiny.preset, config={**tiny.preset.config, "confidence": curve}),
        precision="float32",
    )


def test_a_caption_of_too_little_confidence_is_withheld(calibrated):
    plain = list(calibrated.stream(SAMPLES, num_captions=2))
    least = sorted(caption.confidence for caption in plain)[len(plain) // 2]
    kept = list(calibrated.stream(SAMPLES, num_captions=2, min_confidence=least))
    assert {caption.uncertain for caption in kept} == {True, False}
    for before, after in zip(plain, kept, strict=True):
        assert after.confidence == before.confidence
        assert after.uncertain == (before.confidence < least)
        if after.uncertain:
            assert (after.text, after.words, after.alternatives) == ("", (), ())
        else:
            assert (after.text, after.words) == (before.text, before.words)


def test_min_confidence_needs_a_preset_with_a_confidence(tiny):
    with pytest.raises(CaptionerError, match="calibrate"):
        list(tiny.stream(SAMPLES[:1], min_confidence=0.5))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_eight_threads_give_the_captions_of_one(tiny_preset, engine):
    captioner = Captioner.from_preset(tiny_preset, precision="float32", engine=engine)
    images = [load_image(path, size=captioner.image_size) for path in SAMPLES[:4]]
    expected = [[c.words for c in captioner.generate(image)] for image in images]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(captioner.generate, images * 6)
        assert [[c.words for c in captions] for captions in found] == expected * 6
        clips = [Clip(np.stack([image] * 2), np.arange(2.0)) for image in images]
        alternatives = pool.map(lambda clip: captioner.generate(clip, num_captions=2), clips * 2)
        assert all(len(captions[0].alternatives) == 1 for captions in alternatives)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are of POSIX")
@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_a_forked_process_is_told_so(tiny_preset, engine):
    code = f"""if True:
        import os
        from captioner import Captioner, CaptionerError
        captioner = Captioner.from_preset({str(tiny_preset)!r}, engine={engine!r})
        captioner.generate({str(SAMPLES[0])!r})
        child = os.fork()
        try:
            print(captioner.generate({str(SAMPLES[0])!r})[0].text, flush=True)
        except CaptionerError as error:
            print(error, flush=True)
        if child:
            os.waitpid(child, 0)
        os._exit(0)
    """
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "create one in each process" in told.stdout
    assert len(told.stdout.splitlines()) == 2
