"""`python -m hds_cli`: the command, with the current folder taken off the import path first."""

import sys

if sys.path and sys.path[0] in ("", "."):
    sys.path.pop(0)

from hds_cli.entry import main

main()
