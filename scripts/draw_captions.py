#!/usr/bin/env python
"""Draw images side by side with their captions, or one image with its attention.

    python scripts/draw_captions.py data/samples/dog.jpg data/samples/cat.jpg --out captions.jpg
    python scripts/draw_captions.py data/samples/dog.jpg --attention --out attention.jpg

The second figure is that of Xu et al. 2015, as drawn by `caption --explain`.
"""

from pathlib import Path

import click

from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.presets.storage import DEFAULT_PRESET
from captioner.reports.figure import draw_attention, draw_sheet, save_figure


@click.command()
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option("--attention", is_flag=True, help="Show the attention for each word.")
@click.option(
    "--per-row",
    type=click.IntRange(min=1),
    help="Maximum number of images in a row; default: 3, or 6 with --attention.",
)
def main(
    pictures: tuple[str, ...], out: Path, preset: str, attention: bool, per_row: int | None
) -> None:
    """Describe each PICTURE and draw it with its caption into --out."""
    with plain_errors():
        from captioner.captioner import Captioner

        if attention and len(pictures) > 1:
            raise click.UsageError("--attention shows one image: name only one.")
        captions = Captioner.from_preset(preset).generate(pictures)
        loaded = [load_image(picture) for picture in pictures]
        if attention:
            caption = captions[0]
            if caption.attention is None:
                raise CaptionerError(
                    f"{preset} has a decoder without attention: choose another preset"
                )
            sheet = draw_attention(loaded[0], caption.words, caption.attention, per_row or 6)
        else:
            sheet = draw_sheet(loaded, [caption.text for caption in captions], per_row or 3)
        save_figure(sheet, out)


if __name__ == "__main__":
    main()
