"""`python -m captioner` is the command `captioner`, also where scripts are not on the path."""

from captioner.cli import main

main(prog_name="captioner")
