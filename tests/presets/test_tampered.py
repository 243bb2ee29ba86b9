"""What a tampered or damaged preset leads to: an error that names the file, by any engine."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from captioner.captioner import Captioner
from captioner.errors import CaptionerError
from captioner.presets.checksums import CHECKSUMS, write_checksums
from captioner.presets.storage import read_preset

SAMPLE = str(Path(__file__).parents[2] / "data" / "samples" / "dog.jpg")
WORDS = "decoder/embedding/embeddings"
HUGE = 10**30
_HEADER = b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
BF16 = len(_HEADER).to_bytes(8, "little") + _HEADER + bytes(2)


def config_with(**changes):
    """Change values of config.json; a value of a section by "section.name"."""

    def tamper(folder):
        path = folder / "config.json"
        config = json.loads(path.read_text())
        for name, value in changes.items():
            section, _, key = name.partition("__")
            if key:
                config[section][key] = value
            else:
                config[section] = value
        path.write_text(json.dumps(config))

    return tamper


def without(name):
    def tamper(folder):
        config = json.loads((folder / "config.json").read_text())
        del config[name]
        (folder / "config.json").write_text(json.dumps(config))

    return tamper


def content(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def cut(name, share):
    def tamper(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return tamper


def weights(change):
    def tamper(folder):
        arrays = dict(load_file(folder / "model.safetensors"))
        change(arrays)
        # The old file is mapped into memory: it is not to be written over.
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors").write_bytes(save(arrays))

    return tamper


def put(name, array):
    return weights(lambda arrays: arrays.update({name: array}))


def drop(name):
    return weights(lambda arrays: arrays.pop(name))


def spoil(value):
    def change(arrays):
        array = arrays[WORDS].copy()
        array[0, 0] = value
        arrays[WORDS] = array

    return weights(change)


def words(change):
    def tamper(folder):
        path = folder / "vocabulary.json"
        vocabulary = json.loads(path.read_text())
        change(vocabulary)
        path.write_text(json.dumps(vocabulary))

    return tamper


def reverse(vocabulary):
    vocabulary["words"] = {word: count + 1 for count, word in enumerate(vocabulary["words"])}


def instead(name, make):
    def tamper(folder):
        (folder / name).unlink()
        make(folder / name)

    return tamper


# What is changed, and the file that the error must name.
CHANGED = {
    "config empty": (content("config.json", b""), "config.json"),
    "config cut off": (cut("config.json", 0.5), "config.json"),
    "config no text": (content("config.json", bytes(range(256))), "config.json"),
    "config a list": (content("config.json", b"[]"), "config.json"),
    "config a number": (content("config.json", b"7"), "config.json"),
    "config nested": (content("config.json", b"[" * 100_000), "config.json"),
    "config large": (content("config.json", b" " * (2**24 + 1)), "config.json"),
    "config long number": (content("config.json", b'{"a": ' + b"9" * 5000 + b"}"), "config.json"),
    "no format": (without("format"), "update captioner"),
    "format of text": (config_with(format="1"), "update captioner"),
    "no encoder": (without("encoder"), "config.json: encoder"),
    "no decoder": (without("decoder"), "config.json: decoder"),
    "no generation": (without("generation"), "config.json: generation"),
    "encoder a list": (config_with(encoder=[]), "config.json: encoder"),
    "encoder option": (config_with(encoder__weights="imagenet"), "config.json: encoder"),
    "grid huge": (config_with(encoder__grid=HUGE), "config.json: encoder.grid"),
    "decoder null": (config_with(decoder=None), "config.json: decoder"),
    "decoder nameless": (config_with(decoder={}), "config.json: decoder.name"),
    "decoder units huge": (config_with(decoder__units=HUGE), "config.json: decoder.units"),
    "decoder units negative": (config_with(decoder__units=-1), "config.json: decoder.units"),
    "decoder units list": (config_with(decoder__units=[8]), "config.json: decoder.units"),
    "decoder NaN": (config_with(decoder__dropout=float("nan")), "config.json: decoder.dropout"),
    "beam of text": (config_with(generation__beam_width="3"), "config.json: generation.beam_width"),
    "beam zero": (config_with(generation__beam_width=0), "config.json: generation.beam_width"),
    "beam huge": (config_with(generation__beam_width=HUGE), "config.json: generation.beam_width"),
    "beam true": (config_with(generation__beam_width=True), "config.json: generation.beam_width"),
    "length huge": (config_with(generation__max_length=HUGE), "config.json: generation.max_length"),
    "length NaN": (
        config_with(generation__length_power=float("nan")),
        "config.json: generation.length_power",
    ),
    "lengths crossed": (
        config_with(generation__min_length=9),
        "config.json: generation.min_length",
    ),
    "search unknown": (config_with(generation__temperature=1), "config.json: generation"),
    "frames null": (config_with(frames=None), "config.json: frames"),
    "frames huge": (config_with(frames=HUGE), "config.json: frames"),
    "confidence list": (config_with(confidence=[1, 2]), "config.json: confidence"),
    "confidence infinite": (
        config_with(confidence={"intercept": float("inf"), "slope": 1.0}),
        "config.json: confidence.intercept",
    ),
    "confidence short": (config_with(confidence={"slope": 1.0}), "config.json: confidence"),
    "presence a text": (config_with(presence_words="dog"), "config.json: presence_words"),
    "weights empty": (content("model.safetensors", b""), "model.safetensors"),
    "weights cut off": (cut("model.safetensors", 0.9), "model.safetensors"),
    "weights header cut off": (cut("model.safetensors", 0.0001), "model.safetensors"),
    "weights no header": (content("model.safetensors", b"\xff" * 64), "model.safetensors"),
    "weights of no type": (content("model.safetensors", BF16), "model.safetensors"),
    "weight missing": (drop("decoder/query/kernel"), "decoder/query/kernel"),
    "encoder missing": (drop("encoder/block1_conv1/bias"), "encoder/block1_conv1/bias"),
    "weight more": (
        put("decoder/more/kernel", np.zeros((2, 2), np.float16)),
        "decoder/more/kernel",
    ),
    "weight shorter": (put("decoder/query/kernel", np.zeros((2, 2), np.float16)), "decoder/query"),
    "weights NaN": (spoil(np.nan), WORDS),
    "weights infinite": (spoil(np.inf), WORDS),
    "weights whole": (
        put("decoder/query/kernel", np.zeros((8, 8), np.int64)),
        "decoder/query/kernel",
    ),
    "weights of nothing": (
        put("decoder/query/kernel", np.zeros((0, 8), np.float16)),
        "decoder/query",
    ),
    "vocabulary empty": (content("vocabulary.json", b""), "vocabulary.json"),
    "vocabulary a list": (content("vocabulary.json", b"[]"), "vocabulary.json"),
    "vocabulary nested": (content("vocabulary.json", b"[" * 100_000), "vocabulary.json"),
    "word less": (words(lambda v: v["words"].popitem()), "vocabulary.json"),
    "word more": (words(lambda v: v["words"].update({"zebra": 1})), "vocabulary.json"),
    "word of blanks": (words(lambda v: v["words"].update({"two words": 1})), "vocabulary.json"),
    "words in another order": (words(reverse), "vocabulary.json"),
    "word twice": (
        content("vocabulary.json", b'{"special": [], "words": {"a": 1, "a": 1}}'),
        "vocabulary.json",
    ),
    "no special words": (words(lambda v: v.update(special=[])), "vocabulary.json"),
    "count of text": (words(lambda v: v["words"].update({"a": "5"})), "vocabulary.json"),
    "card no text": (content("README.md", b"\xff\xfe"), "README.md"),
    "graph missing": (lambda folder: (folder / "openvino_step.bin").unlink(), "openvino_step.bin"),
    "graph more": (content("openvino_more.xml", b"<net/>"), "openvino_more.xml"),
    "graph empty": (content("openvino_step.xml", b""), "openvino_step.xml"),
    "graph cut off": (cut("openvino_begin.xml", 0.5), "openvino_begin.xml"),
    "graph of another": (
        lambda folder: shutil.copy(folder / "openvino_begin.xml", folder / "openvino_step.xml"),
        "openvino_step.xml",
    ),
}

# What is done to files without a new list of checksums.
DAMAGED = {
    "no list": (lambda folder: (folder / CHECKSUMS).unlink(), CHECKSUMS),
    "empty list": (content(CHECKSUMS, b""), "does not list"),
    "half a list": (cut(CHECKSUMS, 0.5), CHECKSUMS),
    "list no text": (content(CHECKSUMS, b"\xff\xfe\x00"), CHECKSUMS),
    "list of all else": (
        lambda folder: (folder / CHECKSUMS).write_text(
            "".join(
                line
                for line in (folder / CHECKSUMS).read_text().splitlines(keepends=True)
                if "vocabulary" not in line
            )
        ),
        "does not list vocabulary.json",
    ),
    "list that leads out": (
        lambda folder: (folder / CHECKSUMS).write_text(
            (folder / CHECKSUMS).read_text() + f"{'0' * 64}  ../../secret\n"
        ),
        CHECKSUMS,
    ),
    "list a folder": (instead(CHECKSUMS, Path.mkdir), CHECKSUMS),
    "bit flipped": (
        lambda folder: (folder / "vocabulary.json").write_bytes(
            (folder / "vocabulary.json").read_bytes().replace(b"dog", b"cat")
        ),
        "vocabulary.json was changed",
    ),
    "weights a loop of links": (
        instead("model.safetensors", lambda path: path.symlink_to(path.name)),
        "lacks model.safetensors",
    ),
    "weights a link to nothing": (
        instead("model.safetensors", lambda path: path.symlink_to("nothing")),
        "lacks model.safetensors",
    ),
    "weights a link to a device": (
        instead("model.safetensors", lambda path: path.symlink_to("/dev/zero")),
        "lacks model.safetensors",
    ),
    "weights a folder": (instead("model.safetensors", Path.mkdir), "lacks model.safetensors"),
    "vocabulary a pipe": (instead("vocabulary.json", os.mkfifo), "lacks vocabulary.json"),
    "config a folder": (instead("config.json", Path.mkdir), "no such preset"),
    "config a link to a device": (
        instead("config.json", lambda path: path.symlink_to("/dev/zero")),
        "no such preset",
    ),
}


@pytest.fixture
def folder(tiny_preset, tmp_path):
    return Path(shutil.copytree(tiny_preset, tmp_path / "mine"))


@pytest.mark.parametrize("engine", ["openvino", "keras"])
@pytest.mark.parametrize("kind", CHANGED)
def test_a_tampered_preset_is_refused(folder, kind, engine):
    tamper, named = CHANGED[kind]
    if engine == "keras" and kind in ("graph empty", "graph cut off", "graph of another"):
        pytest.skip("Keras reads no graphs")
    tamper(folder)
    (folder / CHECKSUMS).unlink()
    write_checksums(folder)
    with pytest.raises(CaptionerError) as caught:
        Captioner.from_preset(folder, engine=engine).generate(SAMPLE)
    assert named in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices of POSIX")
@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_preset_is_refused(folder, kind):
    tamper, named = DAMAGED[kind]
    tamper(folder)
    with pytest.raises(CaptionerError) as caught:
        read_preset(folder)
    assert named in str(caught.value)
    assert str(folder) in str(caught.value)


def test_an_untouched_preset_with_new_checksums_is_none_of_these(folder):
    (folder / CHECKSUMS).unlink()
    write_checksums(folder)
    assert Captioner.from_preset(folder).generate(SAMPLE)[0].text


def test_links_to_whole_files_are_read(tiny_preset, tmp_path):
    """As caches of downloads keep them."""
    (tmp_path / "mine").mkdir()
    for path in tiny_preset.iterdir():
        (tmp_path / "mine" / path.name).symlink_to(path)
    assert read_preset(tmp_path / "mine").card == read_preset(tiny_preset).card


RECOGNIZERS = {
    "labels none": (config_with(labels=[]), "config.json: labels"),
    "labels a text": (config_with(labels="wave"), "config.json: labels"),
    "labels twice": (config_with(labels=["a"] * 10), "config.json: labels"),
    "labels less": (config_with(labels=["a", "b"]), "2 labels"),
    "no fingerprint": (config_with(encoder={"preset": "vgg16_top_down"}), "fingerprint"),
    "another fingerprint": (config_with(encoder__fingerprint="0"), "was trained with"),
    "preset a number": (config_with(encoder__preset=7), "config.json: encoder.preset"),
    "preset missing": (config_with(encoder__preset="nowhere"), "nowhere"),
    "side huge": (config_with(side=HUGE), "config.json: side"),
    "side of text": (config_with(side="224"), "config.json: side"),
    "frames huge": (config_with(reading__frames=HUGE), "config.json: reading.frames"),
    "crop more than all": (config_with(reading__crop=2.0), "config.json: reading.crop"),
    "reading more": (config_with(reading__speed=2), "config.json: reading"),
    "head nameless": (config_with(head={}), "config.json: head.name"),
    "head unknown": (config_with(head__name="os"), "head 'os'"),
    "head huge": (config_with(head__units=HUGE), "config.json: head.units"),
    "head option": (config_with(head__speed=1), "head lstm"),
    "no side": (without("side"), "config.json: side"),
    "another task": (config_with(task="caption"), "vocabulary.json"),
    "weight missing": (drop("head/logits/bias"), "head/logits/bias"),
    "weight shorter": (put("head/hidden/bias", np.zeros(2, np.float16)), "head/hidden/bias"),
    "weights NaN": (put("head/logits/bias", np.full(10, np.nan, np.float16)), "head/logits/bias"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", RECOGNIZERS)
def test_a_tampered_recognizer_is_refused(tmp_path, kind):
    import captioner.presets as presets

    bundled = Path(next(iter(presets.__path__))) / "vgg16_lstm_signs"
    folder = Path(shutil.copytree(bundled, tmp_path / "mine"))
    tamper, named = RECOGNIZERS[kind]
    tamper(folder)
    (folder / CHECKSUMS).unlink()
    write_checksums(folder)
    with pytest.raises(CaptionerError) as caught:
        Captioner.from_preset(folder)
    assert named in str(caught.value)
    assert str(folder) in str(caught.value)
