"""Options of the commands that read a data set."""

from pathlib import Path

import click

images_option = click.option(
    "--images", type=click.Path(path_type=Path), help="Folder of the images or clips."
)
strict_option = click.option(
    "--strict", is_flag=True, help="Reject a table with faulty rows instead of skipping the rows."
)
