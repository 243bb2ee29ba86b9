"""`python -m captioner` runs the command `captioner`, even if scripts are not on the path."""

from captioner.cli import main

main(prog_name="captioner")
