"""Question sets from their published files, recognised by their fields: JSON, JSONL, CSV or TSV."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hds_cli import jsons
from hds_cli.errors import HdsError, UsageError
from hds_cli.evaluation import context
from hds_cli.evaluation.formats import FORMATS, Format, Row
from hds_cli.evaluation.questions import Dataset, Question
from hds_cli.types import Document

QUESTIONS, CORPUS = "questions.jsonl", "corpus.jsonl"


class DatasetError(HdsError):
    """A question set that is not there, or a row of it that does not fit its format."""

    code = "dataset"
    exit_code = 2


def load(path: Path, format_name: str | None = None) -> Dataset:
    """Read a question set.

    Args:
        path: the file, or a folder with `questions.jsonl` and, if there are pages, `corpus.jsonl`.
        format_name: one of `FORMATS`; recognised by the fields of the first row when not given.

    Raises:
        DatasetError: no such file, not of a known format, or a row that does not fit (its line is named).
    """
    file = path / QUESTIONS if path.is_dir() else path
    data, rows = _read(file)
    form = _format(file, rows[0][1], format_name)
    questions = _questions(file, rows, form)
    corpus = file.parent / CORPUS
    name = file.parent.name if file.name == QUESTIONS else file.stem
    digest = hashlib.sha256(data).hexdigest()
    own = corpus.is_file() or not context.has_pages(rows[0][1])
    return Dataset(name, form.name, file, digest, questions, corpus if corpus.is_file() else None, brings_pages=not own)


def pages(dataset: Dataset) -> Iterator[Document]:
    """The paragraphs that a set brings in its own rows, as pages."""
    _, rows = _read(dataset.path)
    yield from context.documents(row for _, row in rows)


def _read(file: Path) -> tuple[bytes, list[tuple[int, Row]]]:
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as exc:
        raise DatasetError(f"cannot read {file}: {exc.strerror}", hint="hds eval FILE, or a FOLDER of it") from exc
    except UnicodeDecodeError as exc:
        raise DatasetError(f"{file} is not UTF-8 text") from exc
    rows = _rows(file, text)
    if not rows:
        raise DatasetError(f"{file} holds no questions")
    return data, rows


def _rows(file: Path, text: str) -> list[tuple[int, Row]]:
    """The rows with their lines (for one JSON array: their places in it)."""
    if file.suffix.lower() in (".csv", ".tsv"):
        reader = csv.DictReader(io.StringIO(text), delimiter="\t" if file.suffix.lower() == ".tsv" else ",")
        return [(reader.line_num, row) for row in reader]
    if text.lstrip().startswith("["):
        return list(enumerate(_array(file, text), 1))
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(whole := json.loads(text), dict) and isinstance(whole.get("data"), list):
            return list(enumerate(whole["data"], 1))
    rows = []
    for number, line in enumerate(jsons.lines(text), 1):
        if line.strip():
            rows.append((number, _object(file, number, line)))
    return rows


def _array(file: Path, text: str) -> list[Any]:
    try:
        return list(json.loads(text))
    except (ValueError, RecursionError) as exc:
        raise DatasetError(f"{file} is not JSON: {exc}") from None


def _object(file: Path, number: int, line: str) -> Row:
    try:
        row = jsons.loads(line.encode())
    except ValueError as exc:
        raise DatasetError(f"{file}, line {number}: not JSON ({exc})", hint="one object a line") from None
    if not isinstance(row, dict):
        raise DatasetError(f"{file}, line {number}: not an object", hint='{"question": "…", "answers": ["…"]}')
    return row


def _format(file: Path, row: Any, name: str | None) -> Format:
    known = {form.name: form for form in FORMATS}
    if name is not None:
        if name not in known:
            raise UsageError(f"there is no format {name!r} of question sets", hint=f"formats: {', '.join(known)}")
        return known[name]
    if isinstance(row, dict) and set(row) == {"id", "question", "answer"} and "fanout" in file.name.lower():
        return known["fanoutqa"]  # the first answer may be one value, and others a list
    for form in FORMATS:
        if isinstance(row, dict) and form.fits(row):
            return form
    fields = ", ".join(sorted(map(str, row))) if isinstance(row, dict) else type(row).__name__
    raise DatasetError(
        f"{file} is of no known format (its first row has: {fields})", hint=f"--format {'|'.join(known)}"
    )


def _questions(file: Path, rows: Sequence[tuple[int, Row]], form: Format) -> tuple[Question, ...]:
    questions: dict[str, Question] = {}
    for place, (line, row) in enumerate(rows, 1):
        try:
            question = form.read(row, place)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as exc:
            # The message never shows the row itself: rows of BrowseComp must stay secret.
            problem = f"no field {exc}" if isinstance(exc, KeyError) else str(exc)
            raise DatasetError(
                f"{file}, line {line}: does not fit the format {form.name} ({problem})", hint="--format NAME forces one"
            ) from None
        if question.id in questions:
            raise DatasetError(f"{file}, line {line}: the id {question.id!r} is there twice")
        questions[question.id] = question
    return tuple(questions.values())


def chosen(questions: Sequence[Question], *, limit: int | None, shard: tuple[int, int]) -> list[Question]:
    """The first `limit` questions, of those each `shard[1]`-th from the `shard[0]`-th on (counted from 1)."""
    index, count = shard
    return list(questions[:limit])[index - 1 :: count]


def parse_shard(text: str) -> tuple[int, int]:
    """`2/4` -> (2, 4).

    Raises:
        UsageError: not of that form, or no shard of it.
    """
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise UsageError(f"{text!r} is no shard", hint="--shard 2/4: the second of four")
    return int(index), int(count)
