"""The results of an evaluation on disk: one line a question, appended and flushed, put in order at the end.

`NAME.jsonl` holds what is the same whenever it is repeated; `NAME.costs.jsonl` beside it holds seconds and the like.
A run that was killed leaves whole lines and maybe a torn last one, which is cut off when the run goes on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from hds_cli import jsons, paths
from hds_cli.desk.rows import Row, agree, cut_torn_line
from hds_cli.errors import HdsError, OutputError, UsageError

SCHEMA = "hds.eval.questions/1"


class Journal:
    """The files of one evaluation.

    Args:
        path: the results; the costs stand beside them.
        header: what is evaluated and how; its first line.
    """

    def __init__(self, path: Path, header: Row) -> None:
        self.path, self.header = path, {"schema": SCHEMA, **header}
        self.costs_path = costs_of(path)
        self.rows: dict[str, Row] = {}
        self.costs: dict[str, Row] = {}
        self._files: list[TextIO] = []

    def open(self, *, resume: bool, overwrite: bool) -> Journal:
        """Begin, or go on where a run stopped.

        Raises:
            UsageError: there are results already and neither was asked for, or they were made in another way.
            OutputError: the files cannot be written.
        """
        try:
            paths.folder_of(self.path)
            if resume and self.path.exists():
                self._read()
            elif self.path.exists() and not overwrite:
                raise UsageError(
                    f"there are results in {self.path} already", hint="--resume, --overwrite or --results FILE"
                )
            else:
                self.costs_path.unlink(missing_ok=True)
                self.path.write_text(_line(self.header), encoding="utf-8")
            self._files = [path.open("a", encoding="utf-8") for path in (self.path, self.costs_path)]
        except OSError as exc:
            raise OutputError(f"cannot write {self.path}: {exc.strerror}", hint="--results FILE") from exc
        return self

    def append(self, row: Row, costs: Row) -> None:
        """Keep a question's results; they are on disk when this returns."""
        self.rows[row["id"]], self.costs[row["id"]] = row, costs
        for file, line in zip(reversed(self._files), (_line(costs), _line(row)), strict=True):
            file.write(line)
            file.flush()

    def finish(self, order: Sequence[str]) -> None:
        """Put the lines in the order of the questions, so that the file does not depend on which answer came first."""
        self.close()
        for path, head, rows in (
            (self.path, [self.header], self.rows),
            (self.costs_path, [], self.costs),
        ):
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            lines = [*head, *(rows[name] for name in order if name in rows)]
            part.write_text("".join(map(_line, lines)), encoding="utf-8")
            os.replace(part, path)

    def close(self) -> None:
        for file in self._files:
            file.close()
        self._files = []

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        for path in (self.path, self.costs_path):
            cut_torn_line(path)
        header, rows = read_results(self.path)
        agree(self.path, header, self.header)
        self.costs = {row["id"]: row for row in read_lines(self.costs_path)} if self.costs_path.exists() else {}
        # The costs are written first: after a kill there may be costs without a result, never a result without costs.
        self.rows = {row["id"]: row for row in rows}


def costs_of(path: Path) -> Path:
    """The path of the costs that belong to these results."""
    return path.with_name(f"{path.name.removesuffix('.jsonl')}.costs.jsonl")


def read_results(path: Path) -> tuple[Row, list[Row]]:
    """The header and the rows of a result file.

    Raises:
        ResultsError: the file holds no results.
    """
    lines = read_lines(path)
    if not lines or lines[0].get("schema") != SCHEMA:
        raise ResultsError(f"{path} holds no results of hds eval", hint="hds eval DATASET --results FILE")
    return lines[0], lines[1:]


def read_lines(path: Path) -> list[Row]:
    """The objects of a JSONL file of ours.

    Raises:
        ResultsError: it cannot be read, or a line is not an object.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ResultsError(f"cannot read {path}: {getattr(exc, 'strerror', exc)}") from exc
    rows = []
    for number, line in enumerate(jsons.lines(text), 1):
        try:
            row = jsons.loads(line.encode())
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise ResultsError(f"{path}, line {number}: not an object")
        rows.append(row)
    return rows


class ResultsError(HdsError):
    """A file that should hold the results of an evaluation and does not."""

    code = "results"
    exit_code = 2


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=False) + "\n"
