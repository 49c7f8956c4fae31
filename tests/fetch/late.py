"""A worker that takes a while to start, as on a busy machine; run in place of `hds_cli.extract.worker`."""

from __future__ import annotations

import time

from hds_cli.extract import worker


def main() -> None:
    time.sleep(2.5)
    worker.main()
