"""The paragraphs that MuSiQue, HotpotQA and 2Wiki bring in their own rows, as pages: the published setting, offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hds_cli.evaluation.corpus import NAME
from hds_cli.search.local import local_url
from hds_cli.types import Document

Row = Mapping[str, Any]


def has_pages(row: Row) -> bool:
    """True when a row brings paragraphs along, in a known form."""
    try:
        return any(True for _ in _paragraphs(row))
    except (KeyError, TypeError, ValueError):
        return False  # a field of that name with other content


def documents(rows: Iterable[Row]) -> Iterator[Document]:
    """The paragraphs of all rows, those of one title as one page, each text once."""
    pages: dict[str, dict[str, None]] = {}
    for row in filter(has_pages, rows):
        for title, text in _paragraphs(row):
            pages.setdefault(title, {})[text] = None
    for title, texts in pages.items():
        yield Document(title, title, "\n\n".join(texts), local_url(NAME, title))


def _paragraphs(row: Row) -> Iterator[tuple[str, str]]:
    for paragraph in row.get("paragraphs") or ():  # MuSiQue
        yield str(paragraph["title"]), str(paragraph["paragraph_text"])
    context = row.get("context") or ()
    if isinstance(context, Mapping):  # HotpotQA and 2Wiki as columns
        context = zip(context["title"], context["sentences"], strict=True)
    for title, sentences in context:
        yield str(title), " ".join(str(sentence).strip() for sentence in sentences)
