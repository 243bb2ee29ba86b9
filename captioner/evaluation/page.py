"""An evaluation as one self-contained HTML page."""

import json
import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from captioner.evaluation.evaluation import Evaluation
from captioner.evaluation.page_pictures import pictures_inside, thumbnail
from captioner.evaluation.page_template import PAGE
from captioner.evaluation.results import list_ids, write_whole
from captioner.evaluation.table import interval_text, variety_rows

_SHOWN = 8  # pictures in each group
_BINS = 20
_FAVOURITE = "CIDEr-D"


def write_page(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    pictures: Mapping[str, Path] | None = None,
    folder: Path | None = None,
) -> None:
    """Write the page: scores with intervals, histograms, and pictures that can be sorted.

    Args:
        evaluation: what was measured.
        path: the HTML file.
        pictures: the picture file of each image id; images without a readable one are shown by
            their names.
        folder: that of the images; pictures elsewhere are not shown, and a note says so. None shows
            them all.

    Raises:
        CaptionerError: the file cannot be written.
    """
    inside = dict(pictures or {})
    notes = list(evaluation.notes)
    if folder is not None:
        inside, elsewhere = pictures_inside(inside, folder)
        if elsewhere:
            notes.append(
                f"{list_ids(elsewhere)}: not shown, because the picture lies outside {folder}, "
                "the folder of the images."
            )
    groups = {name: _groups(evaluation, name) for name in evaluation.metrics}
    shown = {image for group in groups.values() for images in group.values() for image in images}
    rows = {image: row for row, image in enumerate(evaluation.captions)}
    images = {
        image: {
            "picture": thumbnail(inside.get(image)),
            "caption": evaluation.captions[image],
            "references": evaluation.references[image],
            "scores": {
                name: round(float(metric.image_scores[rows[image]]), 4)
                for name, metric in evaluation.metrics.items()
            },
        }
        for image in rows
        if image in shown
    }
    data = json.dumps({"groups": groups, "images": images}, ensure_ascii=False)
    references = sum(map(len, evaluation.references.values()))
    page = Template(PAGE).substitute(
        title=escape(f"Captions of {evaluation.name}"),
        summary=f"{len(evaluation.captions):,} images, {references:,} references, "
        f"{evaluation.tokenization} tokens, {evaluation.resamples:,} bootstrap resamples",
        notes="\n".join(f"<p>{escape(note)}</p>" for note in notes),
        metric_rows="\n".join(_metric_rows(evaluation)),
        variety_rows="\n".join(
            f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
            for name, value in variety_rows(evaluation.variety)
        ),
        histograms="\n".join(
            _histogram(name, metric.image_scores) for name, metric in evaluation.metrics.items()
        ),
        options="".join(
            f"<option{' selected' if name == _FAVOURITE else ''}>{name}</option>"
            for name in evaluation.metrics
        ),
        data=data.replace("<", "\\u003c"),
    )
    write_whole(path, page)


def _groups(evaluation: Evaluation, name: str) -> dict[str, list[str]]:
    """Images at both ends and in the middle of a metric, best first."""
    ids = np.array(list(evaluation.captions), dtype=object)
    ranked = ids[np.argsort(-evaluation.metrics[name].image_scores, kind="stable")]
    if len(ranked) < 3 * _SHOWN:
        return {"All": list(ranked)}
    middle = (len(ranked) - _SHOWN) // 2
    return {
        "Best": list(ranked[:_SHOWN]),
        "Typical": list(ranked[middle : middle + _SHOWN]),
        "Worst": list(ranked[: -_SHOWN - 1 : -1]),
    }


def _metric_rows(evaluation: Evaluation) -> list[str]:
    """Table rows; the bar's scale is shared by all metrics, CIDEr beyond 100 widens it."""
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
    """How many images have which score, as a figure."""
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
