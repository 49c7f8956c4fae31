"""Linked collections: a file that a source searches where it lies, under a name of the user's choice.

One small JSON record a name, in the folder of the collections; the file itself is neither copied nor changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from hds_cli import paths
from hds_cli.errors import SourceUnknown

SCHEMA = "hds.linked/1"
SUFFIX = ".linked.json"
KINDS = {".zim": "zim", ".warc": "warc", ".warc.gz": "warc"}


@dataclass(frozen=True)
class Linked:
    """A record: the source plugin that searches the file, where the file is, and how many documents it held."""

    source: str
    path: str
    documents: int


class Preparing(Protocol):
    """The plugin behind a linked collection has this beside its factory's own methods."""

    @staticmethod
    def prepare(name: str, path: Path, tell: Callable[[int], None]) -> int:
        """Look through the file once and return how many documents it holds.

        Raises:
            HdsError: it cannot be used.
        """


def source_for(path: Path) -> str | None:
    """The source plugin that searches files like `path`; None when such a file is indexed like any other."""
    return next((source for suffix, source in KINDS.items() if path.name.lower().endswith(suffix)), None)


def default_name(path: Path) -> str:
    """The file's name without what says its kind."""
    ending = next((suffix for suffix in sorted(KINDS, key=len, reverse=True) if path.name.lower().endswith(suffix)), "")
    return path.name[: len(path.name) - len(ending)].replace(" ", "_")


def names() -> list[str]:
    """The linked collections."""
    return sorted(file.name.removesuffix(SUFFIX) for file in paths.collections_dir().glob("*" + SUFFIX))


def find(name: str) -> Linked | None:
    """The record of that name.

    Raises:
        SourceUnknown: there is one, but it cannot be read.
    """
    try:
        values = json.loads(_file(name).read_text("utf-8"))
        if values["schema"] != SCHEMA:
            raise ValueError(values["schema"])
        return Linked(str(values["source"]), str(values["path"]), int(values["documents"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise SourceUnknown(f"the record of {name!r} is broken", hint=f"hds index remove {name}") from exc


def add(name: str, linked: Linked) -> None:
    """Write the record of `name`, or replace it."""
    paths.private_dir(paths.collections_dir())
    draft = _file(name).with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps({"schema": SCHEMA, **asdict(linked)}), "utf-8")
    draft.replace(_file(name))


def remove(name: str) -> None:
    """Delete the record; the file it names is not touched."""
    _file(name).unlink(missing_ok=True)


def _file(name: str) -> Path:
    return paths.collections_dir() / (name + SUFFIX)
