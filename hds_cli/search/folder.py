"""Folders as collections: which of their files are documents, and which of those did not change.

A `.gitignore` is obeyed as git does: in every folder, the deeper file wins, those above the folder too when it lies in
a repository. Hidden files, links to folders and what is no file are passed over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli.search.updating import Item, Kept, Stamped
from hds_cli.types import Document

AT_ONCE = 16
AT_ONCE_BYTES = 8 << 20
_Rules = tuple[tuple[Path, Any], ...]
Read = Callable[[Sequence[Path]], Sequence[Document | str]]


@dataclass(frozen=True)
class File:
    """A file that may be a document; `stamp` tells whether it was touched, `size` is in bytes."""

    path: Path
    stamp: str
    size: int = 0


def files(root: Path, suffixes: frozenset[str]) -> list[File]:
    """The files below `root` (or `root` itself) with one of these endings, in the order of their names."""
    if root.is_file():
        about = root.stat()
        return [File(root, _stamp(about), about.st_size)]
    return list(_walk(root, suffixes, _rules_above(root)))


def items(found: Sequence[File], stamps: Mapping[str, str], read: Read, skip: Callable[[str], None]) -> Iterator[Item]:
    """The documents of `found` for `Collection.update`; those with the stamp they were stored with are not read.

    Args:
        found: from `files`.
        stamps: `Collection.stamps`.
        read: makes documents of some files, or says in a word why one is none.
        skip: is told of those, a line each.
    """
    waiting: list[File] = []
    for file in found:
        if stamps.get(str(file.path)) == file.stamp:
            yield Kept(str(file.path))
            continue
        waiting.append(file)
        if len(waiting) == AT_ONCE or sum(one.size for one in waiting) > AT_ONCE_BYTES:
            yield from _read(waiting, read, skip)
            waiting = []
    yield from _read(waiting, read, skip)


def _read(waiting: Sequence[File], read: Read, skip: Callable[[str], None]) -> Iterator[Item]:
    for file, made in zip(waiting, read([file.path for file in waiting]) if waiting else [], strict=True):
        if isinstance(made, str):
            skip(f"{file.path}: {made}")
        else:
            yield Stamped(made, file.stamp)


def _walk(folder: Path, suffixes: frozenset[str], rules: _Rules) -> Iterator[File]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return  # may not be looked into
    rules = _with_rules(folder, rules)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            if not _ignored(path, rules, is_dir=True):
                yield from _walk(path, suffixes, rules)
        elif os.path.splitext(entry.name)[1].lower() in suffixes and not _ignored(path, rules, is_dir=False):
            try:
                about = entry.stat()
            except OSError:
                continue  # a link to nothing
            if stat.S_ISREG(about.st_mode):
                yield File(path, _stamp(about), about.st_size)


def _stamp(about: os.stat_result) -> str:
    return f"{about.st_size} {about.st_mtime_ns}"


def _rules_above(root: Path) -> _Rules:
    """The rules of the repository that `root` lies in, from its top down to the folder above `root`."""
    above = list(root.parents)
    top = next((n for n, folder in enumerate(above) if (folder / ".git").exists()), None)
    rules: _Rules = ()
    if top is not None and not (root / ".git").exists():
        for folder in reversed(above[: top + 1]):
            rules = _with_rules(folder, rules)
    return rules


def _with_rules(folder: Path, rules: _Rules) -> _Rules:
    try:
        lines = (folder / ".gitignore").read_text("utf-8", "replace").splitlines()
    except OSError:
        return rules
    import gitmatch

    kept = []
    for line in lines:
        try:
            gitmatch.compile([line])
        except gitmatch.InvalidPatternError:
            continue
        kept.append(line)
    return (*rules, (folder, gitmatch.compile(kept)))


def _ignored(path: Path, rules: _Rules, *, is_dir: bool) -> bool:
    for folder, patterns in reversed(rules):
        try:
            found = patterns.match(path.relative_to(folder).as_posix(), is_dir=is_dir)
        except ValueError:
            continue  # a name that no pattern can mean
        if found is not None:
            return bool(found)
    return False
