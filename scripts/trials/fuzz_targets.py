"""What is fuzzed: readers of bytes that may be anything, which may only succeed or say why not."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from captioner.errors import CaptionerError
from trials.bad_clips import film
from trials.bad_images import image_cases


@dataclass(frozen=True)
class FuzzTarget:
    """A reader and what to begin with.

    Args:
        read: Reads bytes, with a folder for files; CaptionerError is the one error it may raise.
        seeds: Well-formed inputs, from which others are made.
    """

    read: Callable[[bytes, Path], object]
    seeds: Callable[[], list[bytes]]


def run_once(target: FuzzTarget, data: bytes, folder: Path) -> bool:
    """Read once; return whether it was refused.

    Raises:
        Exception: What is a finding.
    """
    try:
        target.read(data, folder)
    except CaptionerError as error:
        if not str(error).strip():
            raise AssertionError("an error without a message") from error
        return True
    return False


def _image(data: bytes, folder: Path) -> None:
    from captioner.media.image import load_image

    assert load_image(data, size=(32, 32), max_pixels=2**22).shape == (32, 32, 3)


def _images() -> list[bytes]:
    return [content for name, content, _ in image_cases() if name.startswith(("whole", "several"))]


def _video(data: bytes, folder: Path) -> None:
    from captioner.media.sources import read_clips

    path = folder / "film.mp4"
    path.write_bytes(data)
    for clip in read_clips(str(path), (32, 32)):
        assert clip.frames.shape[1:] == (32, 32, 3)


def _videos() -> list[bytes]:
    return [film("mp4", frames=6), film("matroska", frames=6), film("avi", "mpeg4", frames=6)]


def _dataset(data: bytes, folder: Path) -> None:
    """Read a file whose kind the first byte tells."""
    from captioner.datasets.readers import read_dataset

    suffix = (".json", ".csv", ".jsonl")[data[:1][0] % 3 if data else 0]
    path = folder / f"data{suffix}"
    path.write_bytes(data[1:])
    (folder / "a.jpg").touch()
    read_dataset(path)


def _datasets() -> list[bytes]:
    karpathy = {"images": [{"filename": "a.jpg", "split": "train",
                            "sentences": [{"raw": "A dog.", "tokens": ["a", "dog"]}]}]}  # fmt: skip
    coco = {"images": [{"id": 1, "file_name": "a.jpg"}],
            "annotations": [{"image_id": 1, "caption": "A dog."}]}  # fmt: skip
    row = json.dumps({"image": "a.jpg", "caption": "A dog.", "split": "val"})
    return [
        b"\0" + json.dumps(karpathy).encode(),
        b"\0" + json.dumps(coco).encode(),
        b'\1image,caption,split\na.jpg,"A dog, a cat.",train\n',
        b"\2" + row.encode() + b"\n",
    ]


def _references(data: bytes, folder: Path) -> None:
    from captioner.evaluation.caption_files import read_results
    from captioner.evaluation.references import read_references

    suffix = (".json", ".csv", ".jsonl", ".txt")[data[:1][0] % 4 if data else 0]
    path = folder / f"truth{suffix}"
    path.write_bytes(data[1:])
    if suffix == ".json":
        with _refused():
            read_results(path)
    read_references(path, split="all")


def _reference_files() -> list[bytes]:
    results = json.dumps([{"image_id": 1, "caption": "a dog"}]).encode()
    return [*_datasets(), b"\0" + results, b"\3a.jpg#0\tA dog .\n"]


def _report(data: bytes, folder: Path) -> None:
    from captioner.reports.output import open_report

    suffix, name = ((".jsonl", "jsonl"), (".csv", "csv"), (".txt", "text"))[
        data[:1][0] % 3 if data else 0
    ]
    path = folder / f"report{suffix}"
    for old in folder.iterdir():
        old.unlink()
    path.write_bytes(data[1:])
    with open_report(path, name, settings=None, overwrite=False, show_path=True) as report:
        report.skip("a.jpg")


def _reports() -> list[bytes]:
    return [
        b'\0{"path": "a.jpg", "caption": "a dog", "log_prob": -1.0, "confidence": 0.5}\n',
        b"\1path,caption,log_prob,confidence,error\r\na.jpg,a dog,-1.0,0.5,\r\n",
        b"\2a.jpg\ta dog\n",
    ]


def _preset(data: bytes, folder: Path) -> None:
    """Replace the file that the first byte tells, and write checksums that hold."""
    from captioner.presets.checksums import CHECKSUMS, write_checksums
    from captioner.presets.storage import read_preset

    names = ("config.json", "vocabulary.json", "model.safetensors", CHECKSUMS)
    name = names[data[:1][0] % 4 if data else 0]
    (folder / "README.md").write_text("# Card\n")
    for number, known in enumerate(names[:3]):
        (folder / known).unlink(missing_ok=True)
        (folder / known).write_bytes(next(s[1:] for s in _presets() if s[0] == number))
    (folder / CHECKSUMS).unlink(missing_ok=True)
    if name != CHECKSUMS:
        (folder / name).unlink()
        (folder / name).write_bytes(data[1:])
        write_checksums(folder)
    else:
        (folder / CHECKSUMS).write_bytes(data[1:])
    with _refused():
        read_preset(folder, task=None)
    read_preset(folder)


def _presets() -> list[bytes]:
    import numpy as np
    from safetensors.numpy import save

    config = {
        "format": 1,
        "encoder": {"grid": 7},
        "decoder": {"name": "top_down", "units": 2},
        "generation": {"beam_width": 3, "max_length": 8, "length_power": 0.7},
        "confidence": {"intercept": 0.5, "slope": 1.0},
    }
    words = {"special": ["<pad>", "<start>", "<end>", "<unk>"], "words": {"a": 2, "dog": 1}}
    weights = {"decoder/embedding/embeddings": np.ones((6, 2), np.float16)}
    return [
        b"\0" + json.dumps(config).encode(),
        b"\1" + json.dumps(words).encode(),
        b"\2" + save(weights),
        b"\3" + b"0" * 64 + b"  config.json\n",
    ]


@contextmanager
def _refused() -> Iterator[None]:
    """Go on after an error that is one."""
    try:
        yield
    except CaptionerError:
        return


FUZZ_TARGETS = {
    "image": FuzzTarget(_image, _images),
    "video": FuzzTarget(_video, _videos),
    "dataset": FuzzTarget(_dataset, _datasets),
    "references": FuzzTarget(_references, _reference_files),
    "report": FuzzTarget(_report, _reports),
    "preset": FuzzTarget(_preset, _presets),
}
