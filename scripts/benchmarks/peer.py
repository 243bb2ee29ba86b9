"""One peer, alone in its process: `python peer.py NAME PRECISION BATCH PICTURE...` prints JSON."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

WORDS = 12  # of every caption: what random weights say has no end of its own
BEAM_WIDTH = 3


def _blip(transformers: Any) -> tuple[Any, int, dict[str, int]]:
    """BLIP-base (Li et al. 2022): the published configuration is the default one."""
    config = transformers.BlipConfig()
    config.vision_config.image_size = 384
    model = transformers.BlipForConditionalGeneration(config)
    return model, 384, {}


def _vit_gpt2(transformers: Any) -> tuple[Any, int, dict[str, int]]:
    """ViT-base and GPT-2 with attention between them, as in nlpconnect's."""
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        transformers.ViTConfig(), transformers.GPT2Config()
    )
    end = config.decoder.eos_token_id
    config.decoder_start_token_id = config.pad_token_id = config.eos_token_id = end
    model = transformers.VisionEncoderDecoderModel(config)
    return model, 224, {"decoder_start_token_id": end, "eos_token_id": end, "pad_token_id": end}


PEERS: dict[str, Callable[[Any], tuple[Any, int, dict[str, int]]]] = {
    "BLIP-base": _blip,
    "ViT-GPT2": _vit_gpt2,
}


def main(name: str, precision: str, batch_size: int, pictures: Sequence[str]) -> dict[str, float]:
    """Time a peer on pictures.

    Args:
        name: One of `PEERS`.
        precision: "float32" or "bfloat16".
        batch_size: Pictures that go through the network together.
        pictures: Paths, at least two batches of them: the first warms up.

    Returns:
        import_s, build_s, seconds (of all batches but the first) and pictures_per_second.
    """
    start = time.perf_counter()
    import numpy as np
    import torch
    import transformers
    from PIL import Image

    imported = time.perf_counter()
    torch.manual_seed(0)
    model, side, ids = PEERS[name](transformers)
    model = model.to(getattr(torch, precision)).eval()
    built = time.perf_counter()

    def describe(paths: Sequence[str]) -> None:
        images = [Image.open(path).convert("RGB").resize((side, side)) for path in paths]
        pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2) / 127.5 - 1
        with torch.inference_mode():
            said = model.generate(
                pixel_values=pixels.to(model.dtype),
                num_beams=BEAM_WIDTH,
                min_new_tokens=WORDS,
                max_new_tokens=WORDS,
                **ids,
            )
        assert said.shape[0] == len(paths) and said.shape[1] >= WORDS

    describe(pictures[:batch_size])
    warm = time.perf_counter()
    for first in range(batch_size, len(pictures), batch_size):
        describe(pictures[first : first + batch_size])
    seconds = time.perf_counter() - warm
    return {
        "import_s": imported - start,
        "build_s": built - imported,
        "seconds": seconds,
        "pictures_per_second": (len(pictures) - batch_size) / seconds,
    }


if __name__ == "__main__":
    _, name, precision, batch_size, *pictures = sys.argv
    print(json.dumps(main(name, precision, int(batch_size), pictures)))
