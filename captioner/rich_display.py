"""HTML of a caption for notebooks: the sentence, the attention and the alternatives."""

import base64
import html
import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from captioner.results import Caption

_SIDE = 42  # pixels of a map of, for example, 7 x 7 values, which browsers interpolate
_MOST = 8  # maximum number of frames whose maps are shown


def caption_html(caption: "Caption") -> str:
    """Return a caption as HTML without scripts: about 200 bytes per word.

    Args:
        caption: Caption or label. A map below each word shows its attention, dark where it is
            high; a clip has a map for each of up to eight frames.

    Returns:
        A fragment of HTML with escaped texts.

    Example:
        >>> from captioner.results import Caption
        >>> caption_html(Caption("a <dog>", ("a", "<dog>"), -1.0, -0.6, confidence=0.5))
        '<div><p><b>a &lt;dog&gt;</b> <small>confidence 0.50</small></p></div>'
    """
    text = caption.text or ("no confident description" if caption.uncertain else "")
    parts = [f"<p><b>{html.escape(text)}</b> <small>{_facts(caption)}</small></p>"]
    if caption.attention is not None and len(caption.attention):
        strongest = float(caption.attention.max())
        parts.append("<div style='display:flex;flex-wrap:wrap;gap:.5em'>")
        for word, looked in zip(caption.words, caption.attention, strict=True):  # looked (T, P)
            parts.append(_looked_at(word, looked, strongest))
        parts.append("</div>")
    if caption.alternatives:
        rows = (
            f"<li>{html.escape(other.text)} <small>{_facts(other)}</small></li>"
            for other in caption.alternatives
        )
        parts.append(f"<ol start=2>{''.join(rows)}</ol>")
    return f"<div>{''.join(parts)}</div>"


def _facts(caption: "Caption") -> str:
    """Return the facts about a caption besides its words."""
    facts = []
    if caption.span is not None:
        facts.append(f"{caption.span[0]:.1f} to {caption.span[1]:.1f} s")
    if caption.confidence is not None:
        facts.append(f"confidence {caption.confidence:.2f}")
    probability = getattr(caption, "probability", None)  # of labels
    if probability is not None:
        facts.append(f"probability {probability:.2f}")
    elif caption.confidence is None:
        facts.append(f"log-probability {caption.log_prob:.2f}")
    if caption.partial:
        facts.append("of the upper part of a file that was cut off")
    return ", ".join(facts)


def _looked_at(word: str, looked: np.ndarray, strongest: float) -> str:
    """Return a word above its map of the attention (T, P), with the frames side by side."""
    kept = looked[np.linspace(0, len(looked) - 1, min(len(looked), _MOST)).round().astype(int)]
    side = math.isqrt(kept.shape[1])
    maps = np.concatenate(kept.reshape(len(kept), side, side), axis=1)  # (side, T * side)
    pixels = (255 * (1 - maps / strongest)).round().astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    data = base64.b64encode(stream.getvalue()).decode()
    name = html.escape(word)
    return (
        f"<figure style='margin:0;text-align:center'><figcaption>{name}</figcaption>"
        f"<img src='data:image/png;base64,{data}' width={_SIDE * len(kept)} height={_SIDE} "
        f'alt="where the decoder looked for {name}"></figure>'
    )
