"""Trajectories over question sets (`questions.jsonl` + `corpus.jsonl`): one query, several at once, or one after another."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.search.local import Collection
from hds_cli.text import normalise, sentences
from hds_starter.training.facts import MANY, NOT_FOUND, ONE
from hds_starter.training.trajectory import MAX_SENTENCE, Cite, Player, Said, Trajectory, called, titled

_MAX_MEMBERS = 6


class NaturalMaker(Player):
    """Questions people asked. What is said is the sentence that holds the answer; what is answered is the answer.

    Args:
        rows: the questions of this part of the set.
    """

    def __init__(
        self, engine: LlamaEngine, collection: Collection, rows: Sequence[dict[str, Any]], seed: int,
        *, valid: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(engine, collection, seed, valid=valid)
        parts = [] if valid else [part for row in rows for part in _parts(row)]
        rows = [*rows, *self.random.sample(parts, min(len(parts), len(rows) // 2))]
        self._rows = [row for row in rows if row["type"] == "fan-out" or any(len(a) < 60 for a in row["answers"])]
        self.random.shuffle(self._rows)
        self._next = 0

    def make(self) -> Trajectory | None:
        row = self._rows[self._next % len(self._rows)]
        self._next += 1
        trajectory = self._fan_out(row) if row["type"] == "fan-out" else self._single(row)
        if trajectory is not None:
            trajectory.needed = row["supporting_titles"]
        return trajectory

    def _single(self, row: dict[str, Any]) -> Trajectory | None:
        answer = min((a for a in row["answers"] if a), key=len)
        if normalise(answer) in ("yes", "no"):
            return None  # no sentence says so
        steps, leads = self._steps(row)
        texts: dict[str, str] = {}

        def final(cite: Cite) -> Said:
            numbers = {q: cite(q) for _, queries in steps for q in queries}
            held = [(q, n) for q, n in numbers.items() if n is not None and q in texts]
            if not held:
                return Said("The results do not say.", NOT_FOUND if trajectory.drop else "")
            query, number = held[-1]
            return Said(f"{texts[query]} [{number}]", answer)

        trajectory = Trajectory(row["type"], row["question"], steps, final)
        trajectory.holds = dict.fromkeys(steps[-1][1], ("\x00", ""))
        for (_, queries), lead in zip(steps[:-1], leads, strict=True):
            trajectory.holds |= dict.fromkeys(queries[:-1], ("", "")) | {queries[-1]: (lead, "")}
        for query in steps[-1][1]:
            if sentence := self._sentence(query, answer):
                texts[query], trajectory.holds[query] = sentence, (sentence, "")
        return trajectory if texts else None

    def _fan_out(self, row: dict[str, Any]) -> Trajectory | None:
        """The list first, where the question does not name its members; then each member, all at once."""
        parts = row["decomposition"]
        if not isinstance(row["answer"], dict):
            return None
        named = isinstance(parts[0]["answer"], list) and len(parts) > 2
        members = parts[1:] if named else parts
        if not named and not all(str(name) in row["question"] for name in row["answer"]):
            return None  # its members would have to be known before anything was read
        if not 2 <= len(members) <= _MAX_MEMBERS:
            return None
        of = {_plain(p["question"]): name for p in members for name in row["answer"] if name in p["question"]}
        queries = [_plain(p["question"]) for p in members]
        steps = [(self.random.choice(MANY), queries)]
        if named:
            steps = [
                (self.random.choice(ONE), [_plain(parts[0]["question"])]),
                (f"{_said(parts[0])}. Now each of them, all at once.", queries),
            ]
        values = {q: str(row["answer"][of[q]]) for q in queries if q in of}
        holds = {_plain(p["question"]): (str(p["answer"]), "") for p in members}
        if named:
            holds[steps[0][1][0]] = (str(parts[0]["answer"][0]), "")

        def final(cite: Cite) -> Said:
            held = [(q, cite(q)) for q in queries if cite(q) is not None and q in values]
            if not held:
                return Said("The results do not say.", NOT_FOUND if trajectory.drop else "")
            statements = " ".join(f"{of[q]}: {values[q]} [{n}]." for q, n in held)
            return Said(statements, "; ".join(f"{of[q]}: {values[q]}" for q, _ in held))

        trajectory = Trajectory(row["type"], row["question"], steps, final, holds)
        return trajectory

    def _steps(self, row: dict[str, Any]) -> tuple[list[tuple[str, list[str]]], list[str]]:
        """The question as it is and what it names, or its first part and then those that rest on it; what each turn
        but the last has to find.

        Where nobody wrote down the parts (HotpotQA), the page that the question does not name is the second step: its
        name stands in what the first one finds.
        """
        parts = row.get("decomposition") or []
        question = _plain(row["question"])
        if len(parts) > 1:
            first = [(self.random.choice(MANY), [question, _plain(parts[0]["question"])])]
            then = [(f"{_said(a)}. Now the next step.", [_plain(b["question"])]) for a, b in itertools.pairwise(parts)]
            return first + then, [_said(part) for part in parts[:-1]]
        titles = [called(title) for title in row["supporting_titles"]] if row["hops"] > 1 else []
        hidden = [title for title in titles if normalise(title) not in normalise(question)]
        named = next((title for title in titles if title not in hidden), "")
        if len(hidden) == 1 and named and (lead := self._sentence(question, hidden[0], named)):
            return [(self.random.choice(ONE), [question]), (f"{lead} Now {hidden[0]}.", hidden)], [lead]
        if len(titles) == 2 and not hidden:
            return [(self.random.choice(MANY), [question, *titles])], []
        names = [
            n for n in re.findall(r"(?:[A-Z][\w.'-]+(?: (?:of|the|de) )?\s?){1,5}", row["question"]) if " " in n.strip()
        ]
        others = [n.strip() for n in names[:2] if normalise(n.strip()) != normalise(question)]
        if row["hops"] > 1 and others:
            return [(self.random.choice(MANY), [question, *others])], []
        return [(self.random.choice(ONE), [question])], []

    def _sentence(self, query: str, answer: str, title: str = "") -> str | None:
        """The shortest sentence with the answer among what the query finds, or on the page of that title."""
        key = normalise(answer)
        matching = [
            sentence
            for result in self.collection.search(query, 3)
            if titled(result.title, title) and (page := self.collection.read(result.url))
            for sentence in sentences(page.text)
            if re.search(rf"\b{re.escape(key)}\b", normalise(sentence)) and len(sentence) <= MAX_SENTENCE
        ]
        return min(matching, key=len) if matching else None


def _plain(question: str) -> str:
    return question.strip().rstrip("?").strip()


def _parts(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The questions that a question is made of, as questions of their own."""
    return [
        {"question": part["question"], "type": "single-hop", "hops": 1, "answers": [_said(part)],
         "supporting_titles": [part["title"]]}
        for part in row.get("decomposition") or [] if part.get("title") and not isinstance(part["answer"], list)
    ]  # fmt: skip


def _said(part: dict[str, Any]) -> str:
    answer = part["answer"]
    return ", ".join(answer) if isinstance(answer, list) else str(answer)


def split_rows(path: Path, share: float = 0.7) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The first `share` of a set's questions, and those of the others that need no page of theirs."""
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    train = int(share * len(rows))
    pages = {title for row in rows[:train] for title in row["supporting_titles"]}
    return rows[:train], [row for row in rows[train:] if not pages & set(row["supporting_titles"])]


__all__ = ["NaturalMaker", "split_rows"]
