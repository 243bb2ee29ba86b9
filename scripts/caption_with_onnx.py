#!/usr/bin/env python
"""Caption an image with only onnxruntime, NumPy and Pillow: a template for your own program.

    captioner export vgg16_top_down --format onnx --out onnx
    python scripts/caption_with_onnx.py onnx photo.jpg

The search is greedy. docs/how-to/run-with-onnx.md lists the inputs and outputs of each network.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

folder, picture = Path(sys.argv[1]), sys.argv[2]
vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
words = [*vocabulary["special"], *vocabulary["words"]]
if "tokenizer" in json.loads((folder / "config.json").read_text(encoding="utf-8")):
    sys.exit(f"{folder} writes subwords: join them as in captioner/text/subwords.py")
PAD, START, END, UNKNOWN = range(4)
networks = {
    name: onnxruntime.InferenceSession(folder / f"{name}.onnx")
    for name in ("encode", "begin", "step")
}


def run(name: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Run one of the networks, with named inputs and outputs."""
    names = [output.name for output in networks[name].get_outputs()]
    return dict(zip(names, networks[name].run(names, inputs), strict=True))


height, width = networks["encode"].get_inputs()[0].shape[2:4]
image = ImageOps.exif_transpose(Image.open(picture)).convert("RGB")
frame = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))  # (H, W, 3)
features = run("encode", frames=frame[np.newaxis, np.newaxis])["features"]  # (1, 1, P, C)
begun = run("begin", features=features, frame_mask=np.ones((1, 1), bool))
memory = {name: part for name, part in begun.items() if name.startswith("memory_")}
state = {name: part for name, part in begun.items() if name.startswith("state_")}
token, sentence = START, []
while len(sentence) < 20:
    penalty = np.zeros(len(words), np.float32)
    penalty[[PAD, START, UNKNOWN, token]] = -np.inf  # no word twice in a row
    token_ids, count = np.array([[token]], np.int32), np.array(1, np.int32)
    step = run("step", token_ids=token_ids, penalty=penalty, count=count, **state, **memory)
    token = int(step["words"][0, 0, 0])
    if token == END:
        break
    sentence.append(words[token])
    state = {name: step[f"next_{name}"] for name in state}
print(*sentence)
