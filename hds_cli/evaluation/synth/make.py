"""Makes questions until there are enough, keeps those that one search does not answer, and goes on where it stopped.

Candidate i depends on the pages, the seed and i alone, so that a run that was stopped, and one that was not, end in
the same files.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli.desk.rows import cut_torn_line
from hds_cli.errors import HdsError
from hds_cli.evaluation.journal import read_lines
from hds_cli.evaluation.synth.compose import Draft, compose
from hds_cli.evaluation.synth.facts import PageFacts
from hds_cli.evaluation.synth.pool import Pool
from hds_cli.evaluation.synth.program import solve
from hds_cli.types import Document, SearchResult

SCHEMA = "hds.synth.questions/1"
_NOTE = re.compile(r"\s*\([^)]*\)$")  # `5,156,450 (2014)` is right without the year, too
TRIES = 400  # candidates without a question, after which the pages count as used up
Search = Callable[[str, int], Sequence[SearchResult]]
Row = dict[str, Any]


class SynthError(HdsError):
    """Questions that cannot be made from these pages, or not to this file."""

    code = "synth"
    exit_code = 2


@dataclass(frozen=True)
class Maker:
    """Model-free questions over a pool.

    Args:
        search: one search over the same pages.
        top_k: a question is rejected when the pages of the best `top_k` results answer it.
    """

    pool: Pool
    search: Search
    seed: int
    top_k: int = 5

    def rows(self, start: int, known: set[str]) -> Iterator[Row]:
        """Questions from candidate `start` on, none of them among the `known` texts, without end.

        Raises:
            SynthError: the pages give no more.
        """
        failed = 0
        place = start
        while failed < TRIES:
            draft = compose(self.pool, random.Random(f"{self.seed}:{place}"))
            place, failed = place + 1, failed + 1
            if draft is None or draft.question in known or not self.hard(draft):
                continue
            known.add(draft.question)
            failed = 0
            yield row_of(draft, place - 1)
        raise SynthError(
            f"these pages give no more than {len(known)} questions",
            hint="a smaller -n, more pages, or pages with `key: value` lines or tables",
        )

    def hard(self, draft: Draft) -> bool:
        """True when the gold pages answer the question and one search for it does not.

        A search that finds all gold pages, or the last page of a hybrid question, counts as an answer.
        """
        gold = set(draft.gold)
        titles = {r.title for r in self.search(draft.question, self.top_k)}
        if gold <= titles or (draft.kind.startswith("hybrid") and draft.last in titles):
            return False
        return self._answer(draft, gold) == draft.answer and self._answer(draft, titles) != draft.answer

    def _answer(self, draft: Draft, titles: set[str]) -> str | None:
        pages: list[PageFacts] = [self.pool.pages[title] for title in sorted(titles) if title in self.pool.pages]
        return solve(draft.program, pages)


def row_of(draft: Draft, candidate: int) -> Row:
    """The question as a line of the set."""
    name = hashlib.sha256(draft.question.encode()).hexdigest()[:12]
    lookups = [
        {"question": step.question, "answer": step.answer, "title": step.title} for step in draft.program if step.title
    ]
    return {
        "id": name,
        "question": draft.question,
        "answers": list(dict.fromkeys((draft.answer, _NOTE.sub("", draft.answer)))),
        "supporting_titles": list(draft.gold),
        "hops": len(draft.gold),
        "type": draft.kind,
        "decomposition": lookups,
        "program": [step.to_dict() for step in draft.program],
        "candidate": candidate,
    }


def pages_digest(documents: Sequence[Document]) -> str:
    """A digest of the pages: the questions depend on them and on the seed."""
    digest = hashlib.sha256()
    for document in documents:
        digest.update("\0".join((document.id, document.title, document.text)).encode() + b"\1")
    return digest.hexdigest()


def write(
    path: Path, header: Row, count: int, rows: Callable[[int, set[str]], Iterator[Row]], on_row: Callable[[], None]
) -> list[Row]:
    """`count` questions in `path`, those that are there already kept; `PATH.made` beside it says how they were made.

    Args:
        rows: called with the first candidate that was not tried yet, and the questions there are.

    Raises:
        SynthError: the file was made in another way, or cannot be written.
    """
    note = path.with_name(f"{path.name}.made")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _check(path, note, header)
        note.write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")
        cut_torn_line(path)
        written = read_lines(path)[:count] if path.exists() else []
        with path.open("a", encoding="utf-8") as file:
            start = written[-1]["candidate"] + 1 if written else 0
            new = rows(start, {row["question"] for row in written})
            while len(written) < count:
                written.append(next(new))
                file.write(json.dumps(written[-1], ensure_ascii=False) + "\n")
                file.flush()
                on_row()
    except OSError as exc:
        raise SynthError(f"cannot write {path}: {exc.strerror}", hint="-o FOLDER") from exc
    return written


def _check(path: Path, note: Path, header: Row) -> None:
    try:
        before = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        before = None
    if before != header:
        raise SynthError(f"{path} was made from other pages, or otherwise", hint="another folder: -o FOLDER")
