"""The report of `captioner teach` as an HTML page; apart from the images, it is self-contained."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from captioner.replacing import replacing
from captioner.training.teaching import Taught

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;vertical-align:top}
td.number{text-align:right}img{width:12rem;height:9rem;object-fit:cover}
article{display:flex;gap:1rem;margin:1rem 0}article p{margin:0}svg{max-width:100%}"""
_WIDTH, _HEIGHT = 600, 200


def write_taught_page(taught: Taught, path: str | Path) -> None:
    """Write the report: scores before and after teaching, the learning curve, sample captions.

    Args:
        taught: Result of `teach`.
        path: HTML file. It links to the image files and does not contain them.

    Raises:
        CaptionerError: If the file cannot be written.
    """
    scores = "".join(
        f"<tr><td>{escape(name)}</td><td class=number>{100 * taught.before[name]:.1f}</td>"
        f"<td class=number>{100 * taught.after[name]:.1f}</td></tr>"
        for name in ("BLEU-1", "BLEU-4", "ROUGE-L", "CIDEr")
    )
    losses = [float(row["loss"]) for row in taught.history]
    ciders = [float(row["CIDEr"]) for row in taught.history]
    samples = "".join(
        f"<article><img loading=lazy alt='' src='{escape(Path(example.path).resolve().as_uri())}'>"
        f"<div><p><b>before</b> {escape(before)}</p><p><b>now</b> {escape(after)}</p>"
        f"<p><b>people</b> {escape(example.captions[0])}</p></div></article>"
        for example, before, after in taught.samples
    )
    text = f"""<!doctype html><html lang=en><meta charset=utf-8>
<meta name=viewport content="width=device-width"><title>{escape(taught.preset.name)}</title>
<style>{_STYLE}</style><h1>What {escape(taught.preset.name)} has learned</h1>
<p>{len(taught.new_words)} new words: {escape(", ".join(taught.new_words)) or "none"}.
{len(taught.unknown)} words were too rare to be learned. Scores x 100 on {len(taught.samples)}
held-out images.</p>
<table><tr><th>score<th>before<th>now</tr>{scores}</table>
<h2>Epoch by epoch</h2>
{_curve("CIDEr on the held-out images", ciders)}
{_curve("training loss", losses)}
<h2>Captions before and now</h2>{samples}</html>
"""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _curve(title: str, values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = _WIDTH / max(len(values) - 1, 1)
    points = " ".join(
        f"{n * step:.1f},{_HEIGHT * (1 - (value - low) / span):.1f}"
        for n, value in enumerate(values)
    )
    return (
        f"<figure><figcaption>{title}: {values[0]:.2f} to {values[-1]:.2f} in {len(values)} "
        f"epochs, between {low:.2f} and {high:.2f}</figcaption>"
        f"<svg viewBox='-5 -5 {_WIDTH + 10} {_HEIGHT + 10}' role=img aria-label='{title}'>"
        f"<polyline fill=none stroke=currentColor stroke-width=2 points='{points}'/></svg></figure>"
    )
