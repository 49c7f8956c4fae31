"""The pages that come with a question set, as a source: indexed once, in the cache, under the hash of the file."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from hds_cli import paths
from hds_cli.search import local
from hds_cli.search.local import Collection
from hds_cli.threads import in_daemon
from hds_cli.types import Document, Page, SearchResult

NAME = "corpus"
_VERSION = 1  # raised when documents are made from a corpus in another way


class CorpusSource:
    """A collection as the only source of an evaluation; it holds its pages itself. `prf`: with feedback."""

    name = NAME
    needs_network = False

    def __init__(self, collection: Collection, prf: bool = False) -> None:
        self.collection, self._prf = collection, prf

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        return await in_daemon(self.collection.search, query, top_k, self._prf)

    async def read(self, url: str) -> Page | None:
        return await in_daemon(self.collection.read, url)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_corpus(path: Path, digest: str, on_document: Callable[[int], None] | None = None) -> Collection:
    """The collection of a `corpus.jsonl`, built when its content has no collection yet."""
    return indexed(digest, lambda: local.read_jsonl(path, NAME), str(path), on_document)


def indexed(
    digest: str,
    documents: Callable[[], Iterable[Document]],
    origin: str,
    on_document: Callable[[int], None] | None = None,
) -> Collection:
    """The collection kept under `digest`; built from `documents` when it is missing. A half-built one is not kept."""
    key = f"{digest[:32]}-{local.SCHEMA_VERSION}.{_VERSION}"
    folder = paths.cache_dir() / "eval" / key
    if not folder.is_dir():
        part = folder.with_name(f".{key}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        try:
            Collection(NAME, part, create=True).update(documents(), origin, on_document)
            if not folder.is_dir():  # another process may have been quicker
                os.replace(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return Collection(NAME, folder)
