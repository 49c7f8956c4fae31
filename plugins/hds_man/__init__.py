"""The source `man`: the manual pages of this machine, found by `apropos` and rendered by `man`."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hds_cli.errors import ConfigError
from hds_cli.search.base import SourceContext
from hds_cli.text import BM25, terms
from hds_cli.threads import in_daemon
from hds_cli.types import Page, SearchResult
from hds_man import programs

_LISTED = re.compile(r"^([^\s(),]+)(?:,[^(]*)?\s*\(([0-9n][\w]*)\)\s+-\s+(.*)$")
_FILE = re.compile(r"^(.+)\.([0-9n]\w*?)(?:\.(?:gz|bz2|xz|lzma|zst|Z))?$")
_ADDRESS = re.compile(r"man:([\w.:+@\[][\w.:+@\[\]-]*)\(([0-9n]\w*)\)")
_PROGRAMMING = ("2", "3", "9")


class Entry(NamedTuple):
    """One manual page: `ls`, `1`, `list directory contents`."""

    name: str
    section: str
    about: str

    @property
    def url(self) -> str:
        return f"man:{self.name}({self.section})"


class Man:
    """Names and descriptions from man's own database, or names alone from its folders where there is no database.

    Raises:
        ConfigError: there is no `man`, or `sources.man.language` is not a language code.
    """

    needs_network = False

    def __init__(self, name: str, context: SourceContext) -> None:
        self.name = name
        language = context.settings.source_settings(name).language
        if language and not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", language):
            raise ConfigError(
                f"sources.{name}.language: {language!r} is not a language code", hint="such as de or pt_BR"
            )
        if shutil.which("man") is None:
            raise ConfigError("there is no program man here", hint="apt install man-db")
        self._language = ["-L", language] if language else []
        self._known: list[tuple[Entry, frozenset[str]]] | None = None

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        words = list(dict.fromkeys(terms(query)))
        entries = await in_daemon(self._with_any, set(words)) if words else []
        return [
            SearchResult(e.url, f"{e.name}({e.section})", e.about, rank, self.name)
            for rank, e in enumerate(best(entries, words, top_k), 1)
        ]

    async def read(self, url: str) -> Page | None:
        """The page as text; None when the address is no manual page's, or there is none of that name."""
        address = _ADDRESS.fullmatch(url)
        text = await in_daemon(self._text, address[2], address[1]) if address else ""
        if address is None or not text:
            return None
        return Page(url, url, f"{address[1]}({address[2]})", text, status="cached", bytes=len(text.encode()))

    def _with_any(self, words: set[str]) -> list[Entry]:
        """The pages with one of the words in their name or description."""
        if self._known is None:
            self._known = [(entry, frozenset(terms(f"{entry.name} {entry.about}"))) for entry in self._listed()]
        if not self._known:
            return list(_in_folders(list(words)))
        return [entry for entry, has in self._known if has & words]

    def _listed(self) -> list[Entry]:
        """Every page that man's database knows, so that its words are compared as those of any other text."""
        for options in (["-l"], []):  # mandoc's apropos has no -l; man-db's cuts its lines without it
            listed = programs.output(["apropos", *options, *self._language, "--", "."])
            if entries := list(listed_in(listed)):
                return entries
        return []

    def _text(self, section: str, name: str) -> str:
        return programs.tidy(programs.output(["man", *self._language, "--", section, name]))


def listed_in(listing: str) -> Iterator[Entry]:
    """The entries in the lines of apropos."""
    for line in listing.splitlines():
        if (match := _LISTED.match(line.strip())) and _ADDRESS.fullmatch(f"man:{match[1]}({match[2]})"):
            yield Entry(match[1], match[2], match[3].strip())


def best(entries: Sequence[Entry], words: Sequence[str], top_k: int) -> list[Entry]:
    """The best entries by BM25 over names (three times) and descriptions; commands and files before functions."""
    scores = BM25([f"{e.name} {e.name} {e.name} {e.about}" for e in entries]).scores(words)
    ranked = sorted(
        zip(scores, entries, strict=True),
        key=lambda pair: (-pair[0] * (0.7 if pair[1].section.startswith(_PROGRAMMING) else 1.0), pair[1]),
    )
    return [entry for score, entry in dict.fromkeys(ranked) if score > 0][:top_k]


def _in_folders(words: Sequence[str]) -> Iterator[Entry]:
    """The pages below man's search path whose name has one of the words."""
    given = programs.output(["manpath", "-q"]) or programs.output(["man", "-w"]) or os.environ.get("MANPATH", "")
    folders = [Path(part) for part in given.strip().split(":") if part.startswith("/")]
    for file in _files(folders):
        match = _FILE.match(file)
        if match and set(terms(match[1])) & set(words):
            entry = Entry(match[1], match[2], "")
            if _ADDRESS.fullmatch(entry.url):
                yield entry


def _files(folders: Iterable[Path]) -> Iterator[str]:
    for folder in folders:
        for section in sorted(folder.glob("man[0-9n]*")):
            if section.is_dir():
                yield from sorted(entry.name for entry in os.scandir(section))
