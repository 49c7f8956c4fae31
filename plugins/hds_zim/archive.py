"""ZIM files through libzim (GPL-3.0-or-later, the extra `zim`); the only file that imports it. Every call blocks.

`Books` lives in a process of its own (`SourceContext.archive`): libzim and Xapian parse what strangers packed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from hds_cli import bounds
from hds_cli.errors import ConfigError, SourceError
from hds_zim.article import marked

MAX_BYTES = 8 << 20  # bytes of one article; the longest of Wikipedia have about 3 MB
_FAULTS = (RuntimeError, ValueError)  # libzim's exceptions, and broken UTF-8 in names


class Item(NamedTuple):
    """One article as it is stored."""

    title: str
    body: bytes
    label: str


def require() -> None:
    """Make sure that libzim is installed.

    Raises:
        ConfigError: it is not.
    """
    if importlib.util.find_spec("libzim") is None:
        raise ConfigError("ZIM files need libzim, which is not installed", hint='pip install "hds-cli[zim]"')


class ZimFile:
    """One ZIM file, opened: libzim maps what it needs of it and keeps a few decompressed clusters.

    Not for several threads at once: Xapian's databases are not.

    Raises:
        SourceError: `zim_broken`, libzim cannot use the file.
    """

    def __init__(self, path: Path) -> None:
        from libzim.reader import Archive

        self.path = path
        self.name = path.name.rpartition(".")[0]
        try:
            self._archive: Any = Archive(path)
            self.articles = int(self._archive.article_count)
            self.indexed = bool(self._archive.has_fulltext_index)
        except _FAULTS as exc:
            raise _broken(path, exc) from exc

    def matching(self, words: Sequence[str], limit: int) -> tuple[int, list[str]]:
        """About how many articles have all these words, and the paths of the best; titles, where no text is indexed."""
        from libzim.search import Query, Searcher

        if not self.indexed:
            return self._suggested(" ".join(words), limit)
        try:
            matches = Searcher(self._archive).search(Query().set_query(" ".join(words)))
            return matches.getEstimatedMatches(), list(matches.getResults(0, limit)) if limit else []
        except _FAULTS as exc:
            raise _broken(self.path, exc) from exc

    def titled(self, start: str, limit: int) -> list[tuple[str, str]]:
        """Path and title of articles that are called `start`, or begin like that."""
        paths = dict.fromkeys([*self._exactly(start), *self._suggested(start, limit)[1]])
        return [(path, title) for path in paths if (title := self.title(path)) is not None]

    def _exactly(self, title: str) -> list[str]:
        try:
            return [self._archive.get_entry_by_title(title).path] if self._archive.has_entry_by_title(title) else []
        except (KeyError, *_FAULTS):
            return []

    def _suggested(self, start: str, limit: int) -> tuple[int, list[str]]:
        from libzim.suggestion import SuggestionSearcher

        try:
            suggestions = SuggestionSearcher(self._archive).suggest(start)
            return suggestions.getEstimatedMatches(), list(suggestions.getResults(0, limit)) if limit else []
        except _FAULTS as exc:
            raise _broken(self.path, exc) from exc

    def title(self, path: str) -> str | None:
        """The title of what is at `path`; None when nothing is."""
        try:
            return str(self._archive.get_entry_by_path(path).title)
        except (KeyError, *_FAULTS):
            return None

    def canonical(self, path: str) -> str:
        """Where a redirect leads in the end."""
        try:
            return str(self._archive.get_entry_by_path(path).get_item().path)
        except (KeyError, *_FAULTS):
            return path

    def item(self, path: str) -> Item | None:
        """The article at `path`; None when there is none, or it is larger than any article.

        Raises:
            SourceError: `zim_broken`, the file breaks off there.
        """
        try:
            entry = self._archive.get_entry_by_path(path)
            item = entry.get_item()
            if item.size > MAX_BYTES:
                return None
            return Item(str(item.title or entry.title), bytes(item.content), str(item.mimetype))
        except KeyError:
            return None
        except _FAULTS as exc:
            raise _broken(self.path, exc) from exc


class Books:
    """Some ZIM files as one: their best hits side by side. Titles and addresses are within the limits of a page.

    Raises:
        SourceError: `zim_broken`, libzim cannot use one of them.
    """

    def __init__(self, *paths: str) -> None:
        opened = [ZimFile(Path(path)) for path in paths]
        self._files = {file.name: file for file in opened}

    def about(self) -> tuple[int, bool]:
        """How many articles there are, and whether every file has a full-text index."""
        files = self._files.values()
        return sum(file.articles for file in files), all(file.indexed for file in files)

    def matching(self, terms: Sequence[str], limit: int) -> tuple[int, list[tuple[str, str]]]:
        """About how many articles have all these words; address and title of the best of each file, the best first."""
        answers = [(file, *file.matching(terms, limit)) for file in self._files.values()]
        ranked = sorted((rank, place) for place, answer in enumerate(answers) for rank in range(len(answer[2])))
        hits = [self._hit(answers[place][0], answers[place][2][rank]) for rank, place in ranked]
        return sum(total for _, total, _ in answers), [hit for hit in hits if len(hit[0]) <= bounds.MAX_URL]

    def titled(self, start: str, limit: int) -> list[tuple[str, str]]:
        """Address and title of the articles that are called `start`, or begin like that."""
        hits = [self._hit(f, path, title) for f in self._files.values() for path, title in f.titled(start, limit)]
        return [hit for hit in hits if len(hit[0]) <= bounds.MAX_URL]

    def item(self, name: str, path: str) -> tuple[str, str, bytes] | None:
        """Title, label and bytes of an article, ready for the extractor; None when there is none."""
        entry = self._files[name].item(path) if name in self._files else None
        return entry and (bounds.title(entry.title), entry.label[:200], marked(entry.body))

    def _hit(self, file: ZimFile, path: str, title: str = "") -> tuple[str, str]:
        final = file.canonical(path)
        return f"zim://{quote(file.name)}/{quote(final)}", bounds.title(title or file.title(final) or "")


def _broken(path: Path, exc: Exception) -> SourceError:
    return SourceError(
        f"{path.name} cannot be read as a ZIM file: {exc}",
        code="zim_broken",
        hint="get the file again; zimcheck -A FILE says what is wrong with it",
    )
