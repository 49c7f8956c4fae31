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
from hds_cli.config import Settings
from hds_cli.errors import ConfigError, SourceUnknown

SCHEMA = "hds.linked/1"
SUFFIX = ".linked.json"
KINDS = {".zim": "zim", ".warc": "warc", ".warc.gz": "warc", ".wet.gz": "warc"}


@dataclass(frozen=True)
class Linked:
    """A record: the source plugin that searches the file, where the file is, and how many documents it held."""

    source: str
    path: str
    documents: int


class Preparing(Protocol):
    """The plugin behind a linked collection has this beside its factory's own methods."""

    @staticmethod
    def prepare(name: str, path: Path, tell: Callable[[int], None]) -> tuple[int, str]:
        """Look through the file once; returns the number of its documents, and a note for the user or "".

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
    paths.write_private(draft, json.dumps({"schema": SCHEMA, **asdict(linked)}))
    draft.replace(_file(name))


def remove(name: str) -> None:
    """Delete the record; the file it names is not touched."""
    _file(name).unlink(missing_ok=True)


def files(name: str, settings: Settings, endings: tuple[str, ...]) -> list[Path]:
    """The files that the source `name` searches: the one linked under that name, or those of its setting `path`.

    Raises:
        ConfigError: nothing is set, or there is no such file.
    """
    record = find(name) if name in names() else None
    given = record.path if record else settings.source_settings(name).path
    if not given:
        raise ConfigError(
            f"the source {name} needs a file or folder",
            hint=f"HDS_{name.upper()}_PATH=FILE{endings[0]}   or   hds index add FILE{endings[0]}",
        )
    path = Path(given).expanduser()
    archives = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.name.lower().endswith(endings))
    if not archives:
        problem = "holds no such file" if path.is_dir() else "is not there"
        raise ConfigError(
            f"{name}: {path} {problem} ({', '.join(endings)})", hint=f"hds index remove {name}" if record else None
        )
    return archives


def _file(name: str) -> Path:
    return paths.collections_dir() / (name + SUFFIX)
