"""Files that hold what a model has evaluated: a header that says of what, the tokens, the state, and a checksum.

A file that is damaged, or that another model wrote, is ignored: its tokens are evaluated anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from hds_cli import paths

_MAGIC = b"hds-state 1\n"
_DIGEST = 32
_HEAD = 1 << 16  # bytes of header that are read at most


def write(path: Path, head: Mapping[str, Any], body: bytes) -> None:
    """Write `body` under `head` to `path`, at once or not at all; nobody else may read it.

    Raises:
        OSError: as writing a file does.
    """
    line = json.dumps(head, sort_keys=True).encode() + b"\n"
    if len(line) > _HEAD:
        raise ValueError("the header is too long")
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    digest = hashlib.sha256(_MAGIC + line)
    digest.update(body)
    try:
        with open(part, "wb", opener=paths.opened_private) as file:
            file.write(_MAGIC + line)
            file.write(body)
            file.write(digest.digest())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path, head: Mapping[str, Any]) -> bytes | None:
    """The body of a file that was written under the same `head`; None: there is none, or it is damaged."""
    try:
        with path.open("rb") as file:
            return read_open(file, head)
    except OSError:
        return None


def read_open(file: BinaryIO, head: Mapping[str, Any]) -> bytes | None:
    """As `read`, of a file that is open.

    Raises:
        OSError: as reading a file does.
    """
    if file.read(len(_MAGIC)) != _MAGIC:
        return None
    line = file.readline(_HEAD)
    if line != json.dumps(head, sort_keys=True).encode() + b"\n":
        return None
    rest = file.read()
    body, digest = rest[:-_DIGEST], rest[-_DIGEST:]
    checksum = hashlib.sha256(_MAGIC + line)
    checksum.update(body)
    return body if checksum.digest() == digest else None
