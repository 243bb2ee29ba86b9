"""Evaluations as text tables, which are valid Markdown."""

from collections.abc import Mapping, Sequence

from captioner.evaluation.bootstrap import PairedDifference
from captioner.evaluation.diversity import CaptionVariety
from captioner.evaluation.evaluation import Evaluation


def metric_table(evaluation: Evaluation) -> str:
    """Format the scores x 100, as in papers, with their 95 % intervals.

    Args:
        evaluation: Evaluation of the captions.

    Returns:
        Lines of Markdown: the table of scores, the table of variety, notes.
    """
    rows = [
        (name, f"{100 * metric.score:.1f}", interval_text(evaluation.intervals[name]))
        for name, metric in evaluation.metrics.items()
    ]
    heading = ("metric", "score x 100", "95 % interval")
    references = sum(map(len, evaluation.references.values()))
    lines = [
        aligned(heading, rows),
        "",
        aligned(("captions", ""), variety_rows(evaluation.variety)),
        "",
        f"{len(evaluation.captions)} images, {references} references, "
        f"{evaluation.tokenization} tokens, {evaluation.resamples} bootstrap resamples.",
        *evaluation.notes,
    ]
    return "\n".join(lines)


def comparison_table(
    first: Evaluation, second: Evaluation, differences: Mapping[str, PairedDifference]
) -> str:
    """Format two systems' scores side by side, with the paired test of their difference.

    Args:
        first: Evaluation of one system.
        second: Evaluation of the other, on the same images.
        differences: Second minus first, by metric.

    Returns:
        Lines of Markdown.
    """
    rows = [
        (
            name,
            f"{100 * first.metrics[name].score:.1f}",
            f"{100 * second.metrics[name].score:.1f}",
            f"{100 * difference.difference:+.1f}",
            interval_text((difference.low, difference.high)),
            f"{difference.p_value:.3f}",
        )
        for name, difference in differences.items()
    ]
    heading = ("metric x 100", first.name, second.name, "difference", "95 % interval", "p")
    return aligned(heading, rows)


def interval_text(ends: tuple[float, float]) -> str:
    """Format an interval of fractions, x 100.

    Args:
        ends: Lower and upper end.

    Returns:
        For example "20.1 to 22.9".
    """
    return f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"


def variety_rows(variety: CaptionVariety) -> list[tuple[str, str]]:
    """Format the variety of captions as table rows.

    Args:
        variety: Variety of the captions.

    Returns:
        Names and values.
    """
    rows = [
        ("words per caption", f"{variety.mean_length:.1f} ± {variety.deviation_of_length:.1f}"),
        ("shortest, longest", f"{variety.shortest}, {variety.longest}"),
        ("vocabulary used", f"{variety.vocabulary:,}"),
        ("distinct-1, distinct-2", f"{variety.distinct_1:.3f}, {variety.distinct_2:.3f}"),
        ("different captions", f"{100 * variety.distinct_captions:.1f} %"),
        ("ending in a dangling word", f"{100 * variety.dangling:.1f} %"),
        ("with a pair of words twice", f"{100 * variety.repetitive:.1f} %"),
    ]
    if variety.novel is not None:
        rows.append(("not in the training captions", f"{100 * variety.novel:.1f} %"))
    return rows


def aligned(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format an aligned Markdown table: the first column left, the others right.

    Args:
        heading: Names of the columns.
        rows: Cells of each row.

    Returns:
        The lines of the table.

    Example:
        >>> print(aligned(("a", "b"), [("x", "10")]))
        | a |  b |
        |---|---:|
        | x | 10 |
    """
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(padded)} |"

    rule = "|".join(
        "-" * (width + 2) if place == 0 else "-" * (width + 1) + ":"
        for place, width in enumerate(widths)
    )
    return "\n".join([line(heading), f"|{rule}|", *map(line, rows)])
