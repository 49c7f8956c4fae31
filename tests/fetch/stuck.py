"""A worker that misbehaves on command; run in place of `hds_cli.extract.worker`."""

from __future__ import annotations

import os
import time
from typing import Any

from hds_cli.extract import page, worker


def extract(body: bytes, *_: Any) -> dict[str, Any]:
    if body == b"hang":
        time.sleep(60)
    if body == b"die":
        os._exit(3)
    if body == b"memory":
        return {"text": "x" * (2 << 30)}
    return {"title": "fine", "text": "fine"}


def main() -> None:
    page.extract = extract  # type: ignore[assignment]
    worker.main()
