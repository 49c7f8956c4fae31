"""Passages in an answer's place: each with its source, its best sentence marked among those around it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from hds_cli.render.text import clean, one_line, safe_url
from hds_cli.types import Citation

_MARKED, _BESIDE = "  > ", "    "


def lines(citations: Iterable[Citation]) -> Iterator[str]:
    """A blank line and the source of each passage, then its text; `>` stands before the quoted sentence.

    Example: `[1] The lease (home/lease.md:7)`, `    Flat: third floor.`, `  > Landlady: W. Strout.`
    """
    for citation in citations:
        yield ""
        yield f"[{citation.n}] {one_line(citation.title)} ({_place(citation)})"
        text = citation.context or citation.quote
        before, quote, after = text.partition(citation.quote)
        for mark, part in ((_BESIDE, before), (_MARKED, quote), (_BESIDE, after)):
            yield from (f"{mark}{clean(line).strip()}" for line in part.split("\n") if line.strip())


def _place(citation: Citation) -> str:
    """The address; of a file its path, from the working folder where it is below it, and the line."""
    if not citation.url.startswith("file:///"):
        return safe_url(citation.url)
    path = Path(unquote(citation.url.removeprefix("file://")))
    with contextlib.suppress(OSError, ValueError):  # the working folder is gone; the file is elsewhere
        path = path.relative_to(Path.cwd())
    return one_line(f"{path}:{citation.line}" if citation.line else str(path))
