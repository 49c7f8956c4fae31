"""Question sets with known relevant pages, for the retrieval bench: ours, BEIR folders, LIMIT."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hds_cli import jsons
from hds_cli.evaluation import datasets
from hds_cli.evaluation.corpus import NAME, file_digest, indexed, open_corpus
from hds_cli.evaluation.datasets import DatasetError
from hds_cli.evaluation.questions import Question, as_text, page_keys
from hds_cli.search.local import Collection, local_url
from hds_cli.types import Document, SearchResult

QUERIES = "queries.jsonl"


@dataclass(frozen=True)
class Topic:
    """A query, the grade of each page that is relevant to it, and the gold sub-queries if they are known.

    `kind`: the question's; `nuggets`: the items of an answer that is a list, each of which is wanted.
    """

    id: str
    query: str
    grades: Mapping[str, int]
    steps: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    kind: str = ""
    nuggets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bench:
    """Topics over a collection; `keys` names a result's page (a page may go by title or address)."""

    name: str
    topics: tuple[Topic, ...]
    collection: Collection
    keys: Callable[[SearchResult], set[str]]


def load(folder: Path, on_document: Callable[[int], None] | None = None) -> Bench:
    """A folder with `questions.jsonl` and `corpus.jsonl`, or with `corpus.jsonl`, `queries.jsonl` and qrels (BEIR).

    Raises:
        DatasetError: it is neither, or a line does not fit.
    """
    if (folder / QUERIES).is_file():
        return _beir(folder, on_document)
    loaded = datasets.load(folder)
    if loaded.corpus is None:
        raise DatasetError(f"there is no {datasets.CORPUS} in {folder}", hint="hds eval retrieval FOLDER")
    collection = open_corpus(loaded.corpus, file_digest(loaded.corpus), on_document)
    topics = tuple(map(_topic, loaded.questions))
    return Bench(loaded.name, topics, collection, lambda result: page_keys(result.title, result.url))


def _topic(question: Question) -> Topic:
    grades = {key: 1 for s in question.support for key in sorted(page_keys(s.title, s.url))[:1]}
    steps = tuple(step.question for step in question.steps)
    nuggets = tuple(nuggets_of(question.wanted)) if question.wanted is not None else ()
    return Topic(question.id, question.text, grades, steps, question.answers, question.kind, nuggets)


def nuggets_of(wanted: Any) -> Iterator[str]:
    """The values of a list or dictionary of answers, each by itself."""
    if isinstance(wanted, Mapping):
        wanted = wanted.values()
    if isinstance(wanted, str | int | float):
        yield as_text(wanted)
        return
    for one in wanted or ():
        yield from nuggets_of(one)


def queries_of(file: Path) -> dict[str, tuple[str, ...]]:
    """Question id -> the queries to search in its place: lines of `{"id", "queries": […]}`, such as `hds eval` keeps.

    Raises:
        DatasetError: the file cannot be read, or a line is no such object.
    """
    queries: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(_lines(file), 1):
        if "schema" in row:
            continue
        written = row.get("queries", row.get("query"))
        known = tuple(dict.fromkeys(text for text in nuggets_of(written) if text.strip()))
        if "id" not in row or not known:
            raise DatasetError(f"{file}, line {number}: no id or no queries", hint='{"id": "…", "queries": ["…"]}')
        queries[str(row["id"])] = known
    return queries


def _beir(folder: Path, on_document: Callable[[int], None] | None) -> Bench:
    corpus = folder / datasets.CORPUS
    grades = _qrels(folder)
    rows = ((_id(row), str(row["text"])) for row in _lines(folder / QUERIES))
    topics = tuple(Topic(name, text, grades[name]) for name, text in rows if grades.get(name))
    if not topics:
        raise DatasetError(f"no query of {folder} has a relevant page", hint="qrels/test.tsv: query-id corpus-id score")
    digest = hashlib.sha256(f"beir {file_digest(corpus)}".encode()).hexdigest()
    collection = indexed(digest, lambda: _documents(corpus), str(corpus), on_document)
    return Bench(folder.name, topics, collection, lambda result: {result.url})


def _documents(corpus: Path) -> Iterator[Document]:
    for row in _lines(corpus):
        yield Document(_id(row), str(row.get("title") or ""), str(row["text"]), _page(_id(row)))


def _page(document: str) -> str:
    return local_url(NAME, document)


def _id(row: Mapping[str, Any]) -> str:
    return str(row["_id"] if "_id" in row else row["id"])


def _qrels(folder: Path) -> dict[str, dict[str, int]]:
    """Query -> page -> grade, of `qrels/test.tsv`, any other split, or `qrels.jsonl` (LIMIT)."""
    files = [folder / "qrels" / "test.tsv", *sorted(folder.glob("qrels/*.tsv")), folder / "qrels.jsonl"]
    file = next((f for f in files if f.is_file()), None)
    if file is None:
        raise DatasetError(f"there are no qrels in {folder}", hint="qrels/test.tsv, or qrels.jsonl")
    grades: dict[str, dict[str, int]] = {}
    for number, (query, page, grade) in enumerate(_judgements(file), 1):
        try:
            grades.setdefault(query, {})[_page(page)] = int(float(grade))
        except ValueError:
            raise DatasetError(f"{file}, row {number}: the grade {grade!r} is no number") from None
    return grades


def _judgements(file: Path) -> Iterator[tuple[str, str, str]]:
    if file.suffix == ".jsonl":
        for row in _lines(file):
            yield str(row["query-id"]), str(row["corpus-id"]), str(row.get("score", 1))
        return
    with file.open(encoding="utf-8", newline="") as lines:
        for cells in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(cells) >= 3 and cells[-1] != "score":
                yield cells[0], cells[-2], cells[-1]  # BEIR has three columns, TREC a second one of zeros


def _lines(file: Path) -> Iterator[Mapping[str, Any]]:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise DatasetError(f"cannot read {file}: {exc}") from exc
    for number, line in enumerate(jsons.lines(text), 1):
        if not line.strip():
            continue
        try:
            row = jsons.loads(line.encode())
        except ValueError as exc:
            raise DatasetError(f"{file}, line {number}: not JSON ({exc})") from None
        if not isinstance(row, dict):
            raise DatasetError(f"{file}, line {number}: not an object")
        yield row
