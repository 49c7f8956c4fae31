"""The look-up of runs: by id, by the beginning of an id, or as the last. Only the folder's listing is read.

A shell's completion goes through here: nothing is imported that it does not need.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hds_cli import paths
from hds_cli.errors import UsageError
from hds_cli.history.lines import SUFFIX

if TYPE_CHECKING:
    from hds_cli.history.journal import Record

_ID = re.compile(r"[0-9a-z]{1,32}")
LAST = "last"


class RunStore:
    """The journals of a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or paths.runs_dir()

    def ids(self) -> list[str]:
        """Every run, in no order."""
        return [run_id for run_id, _ in self.listing()]

    def listing(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Every run's id with the entry of its file."""
        try:
            entries = os.scandir(self.folder)
        except OSError:
            return
        with entries:
            for entry in entries:
                run_id = entry.name.removesuffix(SUFFIX)
                if entry.name.endswith(SUFFIX) and self.is_id(run_id):
                    yield run_id, entry

    def path(self, run_id: str) -> Path:
        return self.folder / f"{run_id}{SUFFIX}"

    @staticmethod
    def is_id(text: str) -> bool:
        """True when a run may have this id: it leads out of no folder, and means no other run."""
        return _ID.fullmatch(text) is not None and text != LAST

    def has(self, run_id: str) -> bool:
        """True when there is a run of exactly this id."""
        return self.is_id(run_id) and self.path(run_id).exists()

    def last(self) -> str:
        """The run that was written to last.

        Raises:
            UsageError: no run is saved.
        """
        latest = max(((_changed(entry), run_id) for run_id, entry in self.listing()), default=None)
        if latest is None:
            raise UsageError("there are no saved runs", hint='hds ask "What is …?"', code="run_unknown")
        return latest[1]

    def find(self, name: str) -> str:
        """The id of a run: itself, the beginning of just one, or `last`.

        Raises:
            UsageError: no run is meant, or several are.
        """
        if name == LAST:
            return self.last()
        if self.has(name):
            return name
        ids = self.ids()
        near = sorted(run_id for run_id in ids if name and run_id.startswith(name))
        if len(near) == 1:
            return near[0]
        if near:
            shown = ", ".join(near[:5]) + (" …" if len(near) > 5 else "")
            raise UsageError(f"{len(near)} runs begin with {name!r}", hint=shown, code="run_unknown")
        raise UsageError(f"there is no run {name!r}", hint=_nearest(name, ids), code="run_unknown")

    def read(self, run_id: str) -> Record:
        """The record of a run, read from its journal.

        Raises:
            UsageError: it cannot be read.
        """
        from hds_cli.history.journal import read

        try:
            with self.path(run_id).open("rb") as stream:
                return read(stream)
        except OSError as exc:
            raise UsageError(f"the run {run_id} cannot be read: {exc.strerror}", hint="hds history list") from exc

    def running(self, run_id: str) -> bool:
        """True when the process that writes the run is alive."""
        from hds_cli.history.journal import running

        return running(self.path(run_id))

    def remove(self, run_id: str) -> None:
        """Delete a journal."""
        self.path(run_id).unlink(missing_ok=True)


def _changed(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_mtime_ns
    except OSError:  # removed just now
        return 0


def _nearest(name: str, ids: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, ids, 1)
    return f"did you mean {close[0]}?" if close else "hds history list"
