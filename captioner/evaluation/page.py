"""An evaluation as one self-contained HTML page."""

import base64
import io
import json
import os
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from captioner.errors import CaptionerError
from captioner.evaluation.caption_files import list_ids, write_whole
from captioner.evaluation.evaluation import Evaluation
from captioner.evaluation.image_scores import image_scores
from captioner.evaluation.score_table import interval_text, variety_rows
from captioner.media.image import load_image

_WIDTH, _HEIGHT = 320, 240  # pixels, at most


def images_inside(
    paths: Mapping[str, Path], folder: Path
) -> tuple[dict[str, Path], dict[str, Path]]:
    """Separate images inside a folder from those outside it, which a page must not publish.

    The names come from a file of references, which may be untrusted: absolute names, `..` and
    links can lead out of the folder.

    Args:
        paths: Image paths by image id.
        folder: Folder of the images.

    Returns:
        Images inside the folder, and images outside it.

    Example:
        >>> paths = {"1": Path("a/1.jpg"), "2": Path("a/../2.jpg")}
        >>> inside, elsewhere = images_inside(paths, Path("a"))
        >>> list(inside), list(elsewhere)
        (['1'], ['2'])
    """
    inside: dict[str, Path] = {}
    elsewhere: dict[str, Path] = {}
    top = folder.resolve()
    for image, path in paths.items():
        try:
            own = path.resolve().is_relative_to(top)
        except (OSError, RuntimeError, ValueError):  # loops of links, invalid names
            own = False
        (inside if own else elsewhere)[image] = path
    return inside, elsewhere


def thumbnail(path: Path | None) -> str:
    """Make a small JPEG of an image as a data URI, or "" if it is not readable.

    Args:
        path: Path of any file or None; it is read as in `caption`, with the same limits.
    """
    if path is None or not path.is_file():
        return ""
    try:
        # `size` is the shorter side; very wide or high images are shrunk again below.
        small = Image.fromarray(load_image(path, size=_HEIGHT))
    except CaptionerError:
        return ""
    small.thumbnail((_WIDTH, _HEIGHT))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=72, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


_SHOWN = 8  # images in each group
_BINS = 20
_FAVOURITE = "CIDEr"


def write_page(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    paths: Mapping[str, Path] | None = None,
    folder: Path | None = None,
) -> None:
    """Write the page: scores with intervals, histograms, and sortable images.

    Args:
        evaluation: Evaluation of the captions.
        path: Path of the HTML file.
        paths: Image file of each image id; if a file is not readable, the page shows the id.
        folder: Folder of the images; images outside it are not shown, and a note lists them. None
            shows all images.

    Raises:
        CaptionerError: If the file cannot be written.
    """
    inside = dict(paths or {})
    notes = list(evaluation.notes)
    if folder is not None:
        inside, elsewhere = images_inside(inside, folder)
        if elsewhere:
            notes.append(
                f"{list_ids(elsewhere)}: not shown, because the file is outside {folder}, the "
                "folder of the images."
            )
    scores = image_scores(evaluation)
    notes.append("BLEU of single images is smoothed by adding one (Lin and Och 2004).")
    columns = {
        name: np.array([own[name] for own in scores.values()]) for name in evaluation.metrics
    }
    groups = {name: _groups(list(scores), column) for name, column in columns.items()}
    shown = {image for group in groups.values() for images in group.values() for image in images}
    images = {
        image: {
            "thumbnail": thumbnail(inside.get(image)),
            "caption": evaluation.captions[image],
            "references": evaluation.references[image],
            "scores": {name: round(score, 4) for name, score in scores[image].items()},
        }
        for image in scores
        if image in shown
    }
    data = json.dumps({"groups": groups, "images": images}, ensure_ascii=False)
    references = sum(map(len, evaluation.references.values()))
    template = files("captioner.evaluation") / "page.html"
    page = Template(template.read_text(encoding="utf-8")).substitute(
        title=escape(f"Captions of {evaluation.name}"),
        summary=f"{len(evaluation.captions):,} images, {references:,} references, "
        f"{evaluation.tokenization} tokens, {evaluation.resamples:,} bootstrap resamples",
        notes="\n".join(f"<p>{escape(note)}</p>" for note in notes),
        metric_rows="\n".join(_metric_rows(evaluation)),
        variety_rows="\n".join(
            f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
            for name, value in variety_rows(evaluation.variety)
        ),
        histograms="\n".join(_histogram(name, column) for name, column in columns.items()),
        options="".join(
            f"<option{' selected' if name == _FAVOURITE else ''}>{name}</option>"
            for name in evaluation.metrics
        ),
        data=data.replace("<", "\\u003c"),
    )
    write_whole(path, page)


def _groups(image_ids: list[str], scores: np.ndarray) -> dict[str, list[str]]:
    """Return the best, the middle and the worst images by their scores (I,), in groups."""
    ranked = np.array(image_ids, dtype=object)[np.argsort(-scores, kind="stable")]
    if len(ranked) < 3 * _SHOWN:
        return {"All": list(ranked)}
    middle = (len(ranked) - _SHOWN) // 2
    return {
        "Best": list(ranked[:_SHOWN]),
        "Typical": list(ranked[middle : middle + _SHOWN]),
        "Worst": list(ranked[: -_SHOWN - 1 : -1]),
    }


def _metric_rows(evaluation: Evaluation) -> list[str]:
    """Return table rows with bars of the same scale, to 100 or to the highest interval's end."""
    top = max(1.0, *(high for _, high in evaluation.intervals.values()))
    rows = []
    for name, metric in evaluation.metrics.items():
        low, high = evaluation.intervals[name]
        score, left, right = (100 * value / top for value in (metric.score, low, high))
        rows.append(
            f"<tr><th>{name}</th><td>{100 * metric.score:.1f}</td>"
            f"<td>{interval_text((low, high))}</td>"
            '<td class="bar"><svg viewBox="0 0 100 8" height="16" preserveAspectRatio="none">'
            '<rect y="2" width="100" height="4" fill="#eef1f4"/>'
            f'<rect y="2" width="{score:.2f}" height="4" fill="#9cc3e6"/>'
            f'<rect x="{left:.2f}" y="3.2" width="{right - left:.2f}" height="1.6" '
            'fill="#1d4f7c"/></svg></td></tr>'
        )
    return rows


def _histogram(name: str, scores: np.ndarray) -> str:
    """Return a histogram of the images' scores, as an HTML figure."""
    top = max(float(scores.max()), 1e-9)
    counts, edges = np.histogram(scores, bins=_BINS, range=(0.0, top))
    width = 200 / _BINS
    bars = "".join(
        f'<rect x="{place * width:.1f}" y="{60 - 60 * count / counts.max():.1f}" '
        f'width="{width - 1:.1f}" height="{60 * count / counts.max():.1f}" fill="#2f6fab">'
        f"<title>{100 * edges[place]:.1f} to {100 * edges[place + 1]:.1f}: {count} images</title>"
        "</rect>"
        for place, count in enumerate(counts)
    )
    return (
        f"<figure style='margin:0'><figcaption>{name}"
        f' <span class="soft">median {100 * float(np.median(scores)):.1f}</span></figcaption>'
        '<svg viewBox="0 0 200 74" role="img" '
        f'aria-label="Histogram of {name}">{bars}<line x2="200" y1="60.5" y2="60.5" '
        'stroke="#d8dee4"/><text y="71" font-size="9" fill="#656d76">0</text>'
        f'<text x="200" y="71" font-size="9" fill="#656d76" text-anchor="end">{100 * top:.0f}'
        "</text></svg></figure>"
    )
