"""Where a result goes: stdout, or a file that is there in one piece or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from hds_cli.errors import OutputError
from hds_cli.interrupts import before_leaving

_unfinished: set[Path] = set()


@contextmanager
def target(output: Path | None) -> Iterator[TextIO]:
    """Stdout, or `output` when it is over without an error.

    Raises:
        OutputError: the file cannot be written.
    """
    if output is None:
        yield sys.stdout
        return
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    _unfinished.add(part)
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        os.replace(part, output)
    except OSError as exc:
        if exc.filename is None and exc.errno is None:
            raise
        raise OutputError(
            f"cannot write {output}: {exc.strerror}", hint="-o FILE in a folder that can be written"
        ) from exc
    finally:
        discard()


def discard() -> None:
    """Leave no half file behind; for an end that runs no `finally`, too."""
    while _unfinished:
        _unfinished.pop().unlink(missing_ok=True)


before_leaving(discard)
