"""ZIM files made on the spot by libzim's own writer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

ARTICLES = {
    "Norway": "Norway is a kingdom in the north of Europe. The capital of Norway is Oslo, a port at the end of a fjord.",
    "Oslo": "Oslo is a city on a fjord. Its opera house stands at the water.",
    "Sea salt": "Sea salt is made from seawater that is dried by sun and wind. In Guérande it is raked by hand.",
    "Halite": "Halite, commonly known as rock salt, is a mineral. It was mined at Hallstatt for three thousand years.",
    "Hallstatt": "Hallstatt is a village at a lake. Its museum shows finds of the Iron Age.",
    "Iron Age": "The Iron Age came after the Bronze Age. Tools of that time were found in many graves.",
    "Opera": "An opera is a play that is sung. The first was given in Florence.",
    "Florence": "Florence is a city on the Arno. Its museum of paintings is old.",
}


@contextmanager
def _quiet() -> Iterator[None]:
    """libzim's writer talks on file descriptor 1."""
    kept, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(null)


def make(
    path: Path,
    articles: Mapping[str, str] = ARTICLES,
    *,
    index: bool = True,
    redirects: Mapping[str, str] | None = None,
) -> Path:
    """A ZIM file of these articles (title -> text, or HTML if it starts with `<`), with or without a full-text index."""
    pytest.importorskip("libzim", reason="libzim is not installed (extra zim)")
    from libzim.writer import Creator, Hint, Item, StringProvider

    class Article(Item):  # type: ignore[misc]
        def __init__(self, title: str, text: str) -> None:
            super().__init__()
            self.title, self.text = title, text

        def get_path(self) -> str:
            return self.title.replace(" ", "_")

        def get_title(self) -> str:
            return self.title

        def get_mimetype(self) -> str:
            return "text/html"

        def get_contentprovider(self) -> StringProvider:
            body = self.text if self.text.startswith("<") else f"<p>{self.text}</p>"
            return StringProvider(
                f"<html><head><title>{self.title}</title></head><body><h1>{self.title}</h1><div id='mw-content-text'>{body}</div></body></html>"
            )

        def get_hints(self) -> dict[Hint, int]:
            return {Hint.FRONT_ARTICLE: 1}

    with _quiet(), Creator(path).config_indexing(index, "eng") as creator:
        creator.set_mainpath(next(iter(articles)).replace(" ", "_"))
        for title, text in articles.items():
            creator.add_item(Article(title, text))
        for alias, title in (redirects or {}).items():
            creator.add_redirection(alias.replace(" ", "_"), alias, title.replace(" ", "_"), {Hint.FRONT_ARTICLE: 1})
        for key, value in {
            "Title": "Test",
            "Language": "eng",
            "Creator": "us",
            "Publisher": "us",
            "Name": path.stem,
            "Description": "d",
            "Date": "2026-01-01",
        }.items():
            creator.add_metadata(key, value)
    return path
