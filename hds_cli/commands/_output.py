"""Output of results: stdout, or the file that `-o` names, which is never replaced by something of another kind."""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from hds_cli.errors import OutputError
from hds_cli.interrupts import before_leaving

_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/([0-9]{1,4})|/dev/std(out|err)")
_unfinished: set[Path] = set()


def named(path: Path | None) -> Path | None:
    """The path of an option or argument; None, which is stdout, for `-`."""
    return None if path is None or str(path) == "-" else path.expanduser()


@contextmanager
def target(output: Path | None) -> Iterator[TextIO]:
    """Stdout, or a text stream to what `output` names; see `binary_target`."""
    if output is None:
        yield sys.stdout
        return
    with binary_target(output) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=False)
        try:
            yield text
            text.flush()
        finally:
            with contextlib.suppress(OSError, ValueError):  # what was not written is said by the flush above
                text.detach()


@contextmanager
def binary_target(output: Path | None, *, private: bool = False) -> Iterator[BinaryIO]:
    """Stdout, or a stream to what `output` names, through links.

    A regular file is there in one piece or stays as it was; it keeps its mode. Devices, pipes and the like are opened
    and written, and so is a file in a folder where no second one can be made.

    Args:
        private: a new file is readable by its owner alone.

    Raises:
        OutputError: it cannot be written.
    """
    if output is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with _opened(output, private) as stream:
            yield stream
    except OSError as exc:
        if exc.filename is None and exc.errno is None:
            raise
        raise OutputError(
            f"cannot write {output}: {exc.strerror}", hint="-o FILE in a folder that can be written"
        ) from exc


def _opened(output: Path, private: bool) -> contextlib.AbstractContextManager[BinaryIO]:
    if descriptor := _DESCRIPTOR.fullmatch(str(output)):  # opened by its name it would be written from its beginning
        number = int(descriptor[1]) if descriptor[1] else 1 if descriptor[2] == "out" else 2
        sys.stdout.flush()
        own = sys.stdout.fileno() if number == 1 else number  # stdout is kept under another number, see `cli`
        return cast(BinaryIO, os.fdopen(os.dup(own), "wb"))
    real = Path(os.path.realpath(output))
    try:
        status = os.stat(output)
    except FileNotFoundError:
        return _replacing(real, 0o600 if private else None)
    replaceable = os.access(output, os.W_OK) and os.access(real.parent, os.W_OK | os.X_OK)
    if not stat.S_ISREG(status.st_mode) or not replaceable:
        return output.open("wb")  # what cannot be written fails here, in the system's words
    return _replacing(real, stat.S_IMODE(status.st_mode), status)


@contextmanager
def _replacing(real: Path, mode: int | None, status: os.stat_result | None = None) -> Iterator[BinaryIO]:
    """A file beside `real` that takes its place when all is written, with its mode and, where allowed, its owner."""
    part = real.with_name(f".{real.name[:200]}.{os.getpid()}.part")
    _unfinished.add(part)
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if mode is None else 0o600), "wb") as file:
            yield file
            if status is not None and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                with contextlib.suppress(OSError):
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
        os.replace(part, real)
    finally:
        part.unlink(missing_ok=True)
        _unfinished.discard(part)


def discard() -> None:
    """Leave no half file behind; for an end that runs no `finally`, too."""
    while _unfinished:
        _unfinished.pop().unlink(missing_ok=True)


before_leaving(discard)
