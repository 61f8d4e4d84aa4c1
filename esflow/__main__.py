"""The command line as a module: ``python -m esflow``."""

from esflow.cli import main

main(prog_name="esflow")
