"""Folders as collections: which of their files are documents, which are left out, and which did not change.

A `.gitignore` is obeyed as git does: in every folder, the deeper file wins, those above the folder too when it lies in
a repository. Hidden files, links to folders and what is no file are passed over; what is left out otherwise is counted.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hds_cli.errors import UsageError
from hds_cli.search.updating import Item, Kept, Stamped
from hds_cli.types import Document

AT_ONCE = 16
EXCLUDED = "excluded"
AT_ONCE_BYTES = 8 << 20
_Rules = tuple[tuple[Path, Any], ...]
Read = Callable[[Sequence[Path]], Sequence[Document | str]]


@dataclass(frozen=True)
class File:
    """A file that may be a document; `stamp` tells whether it was touched, `size` is in bytes."""

    path: Path
    stamp: str
    size: int = 0

    @property
    def id(self) -> str:
        """The id of its document: the path, as `written`."""
        return written(self.path)


@dataclass(frozen=True)
class Choice:
    """The choice of a folder's files.

    Args:
        reads: True for a file's name that can be read.
        include: patterns as in a `.gitignore`; nothing else is taken then, whatever its kind.
        exclude: patterns of files that are not taken.
    """

    reads: Callable[[str], bool]
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()


@dataclass
class Listing:
    """The files of a folder, in the order of their names, and how many were left out, by kind or reason.

    `notes`: what of a file is not in its document, a line each.
    """

    files: list[File] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def written(path: Path | str) -> str:
    """A path as text: a byte that is not UTF-8 becomes `\\xe9`."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def kind_of(name: str) -> str:
    """The name of a file's kind: its ending, or its whole name."""
    stem, dot, ending = written(name).rpartition(".")
    return f".{ending.lower()[:20]}" if dot and stem and ending else written(name)[:30]


def look(root: Path, choice: Choice) -> Listing:
    """The files below `root` (or `root` itself) that are wanted.

    Raises:
        UsageError: a pattern cannot be parsed.
    """
    listing = Listing()
    if root.is_file():
        about = root.stat()
        listing.files.append(File(root, _stamp(about), about.st_size))
        return listing
    chosen = _Chosen(root, choice)
    _walk(root, chosen, _rules_above(root), listing)
    return listing


class _Chosen:
    """The patterns of a choice, made ready."""

    def __init__(self, root: Path, choice: Choice) -> None:
        self._root, self._reads = root, choice.reads
        self._include, self._exclude = _patterns(choice.include), _patterns(choice.exclude)

    def excludes(self, path: Path, *, is_dir: bool) -> bool:
        return self._exclude is not None and _matches(self._exclude, path.relative_to(self._root), is_dir)

    def left_out(self, path: Path) -> str:
        """The reason why a file is not taken, its kind or `excluded`; "" when it is taken."""
        if self.excludes(path, is_dir=False):
            return EXCLUDED
        if self._include is not None:
            return "" if _matches(self._include, path.relative_to(self._root), False) else EXCLUDED
        return "" if self._reads(path.name) else kind_of(path.name)


def _patterns(lines: Sequence[str]) -> Any:
    if not lines:
        return None
    import gitmatch

    try:
        return gitmatch.compile(list(lines))
    except gitmatch.InvalidPatternError as exc:
        raise UsageError(f"{', '.join(lines)}: {exc}", hint="patterns as in a .gitignore: '*.log', 'drafts/'") from exc


def _matches(patterns: Any, path: Path, is_dir: bool) -> bool:
    """True when a pattern matches a path or a folder that it lies in."""
    try:
        return bool(patterns.match(written(path).replace(os.sep, "/"), is_dir=is_dir))
    except ValueError:
        return False  # a name that no pattern can mean


def items(files: Sequence[File], stamps: Mapping[str, str], read: Read, skip: Callable[[str], None]) -> Iterator[Item]:
    """The documents of `files` for `Collection.update`; a file with the stamp it was stored with is not read.

    Args:
        files: from `look`.
        stamps: `Collection.stamps`.
        read: makes documents of some files; a text instead of a document is the reason why there is none.
        skip: called with a line for each file that is no document.
    """
    waiting: list[File] = []
    for file in files:
        if stamps.get(file.id) == file.stamp:
            yield Kept(file.id)
            continue
        waiting.append(file)
        if len(waiting) == AT_ONCE or sum(one.size for one in waiting) > AT_ONCE_BYTES:
            yield from _read(waiting, read, skip)
            waiting = []
    yield from _read(waiting, read, skip)


def _read(waiting: Sequence[File], read: Read, skip: Callable[[str], None]) -> Iterator[Item]:
    for file, document in zip(waiting, read([file.path for file in waiting]) if waiting else [], strict=True):
        if isinstance(document, str):
            skip(f"{file.id}: {document}")
        else:
            yield Stamped(document, file.stamp)


def _walk(folder: Path, chosen: _Chosen, rules: _Rules, listing: Listing) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        listing.left_out["folders that cannot be read"] += 1
        return
    rules = _with_rules(folder, rules)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            if not _ignored(path, rules, is_dir=True) and not chosen.excludes(path, is_dir=True):
                _walk(path, chosen, rules, listing)
        elif not _ignored(path, rules, is_dir=False):
            _take(entry, path, chosen, listing)


def _take(entry: os.DirEntry[str], path: Path, chosen: _Chosen, listing: Listing) -> None:
    try:
        about = entry.stat()
    except OSError:
        return  # a link to nothing
    if not stat.S_ISREG(about.st_mode):
        return
    if why := chosen.left_out(path):
        listing.left_out[why] += 1
    else:
        listing.files.append(File(path, _stamp(about), about.st_size))


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
            verdict = patterns.match(written(path.relative_to(folder)).replace(os.sep, "/"), is_dir=is_dir)
        except ValueError:
            continue  # a name that no pattern can mean
        if verdict is not None:
            return bool(verdict)
    return False
