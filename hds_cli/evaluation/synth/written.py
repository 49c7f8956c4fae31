"""Questions a model writes from prose: seed question, characteristics, parallel-hop question, hybrid question.

The steps of HDS-QA (arXiv 2508.19113) with pages of one's own in the place of People-Also-Ask: the pages that name an
entity are its related pages. What the model writes is believed only as far as the pages bear it out.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hds_cli.evaluation.judge import Asks
from hds_cli.evaluation.synth.compose import Draft
from hds_cli.evaluation.synth.make import Row, SynthError, row_of
from hds_cli.evaluation.synth.pool import alike
from hds_cli.evaluation.synth.program import Step
from hds_cli.text import cut_passages, quote_words, terms
from hds_cli.types import Document, SearchResult

_RELATED = (2, 4)  # pages a question needs beside the entity's own
_WORDS = 90
_LEAST_TERMS = 3  # the fewest terms of a characteristic: a single name says nothing
_BORNE_OUT = 0.5  # share of a characteristic's terms that stand in its passage
_USED = 0.6  # share of a characteristic's terms that come back in the question
TRIES = 60  # candidates without a question, after which the pages count as used up
_PRONOUNS = re.compile(r"\b(?:he|she|it|its|his|her|they|their|this|these|those)\b", re.IGNORECASE)
_SYSTEM = "You write short, exact texts for a quiz on documents. You use only what the given text says. Answer in JSON."
_ONE = 'root ::= "{{\\"{name}\\": \\"" char{{4,{most}}} "\\"}}"\nchar ::= [^"\\\\\\x00-\\x1F\\x7F]'
_SEED = (
    'root ::= "{\\"question\\": \\"" char{8,160} "\\", \\"answer\\": \\"" char{1,60} "\\"}"\n'
    'char ::= [^"\\\\\\x00-\\x1F\\x7F]'
)
Search = Callable[[str, int], Sequence[SearchResult]]


@dataclass(frozen=True)
class _Related:
    """A page that names the entity, and the passage in which it does."""

    document: Document
    passage: str


class WrittenMaker:
    """Questions over prose, written by a model and checked against the pages.

    Args:
        search: one search over the same pages.
        model: what writes.
        top_k: a question is rejected when the best `top_k` results hold all of its pages, or the last of them.
    """

    def __init__(self, documents: Sequence[Document], search: Search, model: Asks, seed: int, top_k: int = 5) -> None:
        self._documents = [d for d in documents if d.title.strip() and len(d.text) > 40]
        self._search, self._model, self._seed, self._top_k = search, model, seed, top_k

    def rows(self, start: int, known: set[str]) -> Iterator[Row]:
        """Questions from candidate `start` on, none of them among the `known` texts, without end.

        Raises:
            SynthError: the pages give no more.
        """
        failed, place = 0, start
        while failed < TRIES and self._documents:
            draft = self.candidate(random.Random(f"{self._seed}:{place}"))
            place, failed = place + 1, failed + 1
            if draft is not None and draft.question not in known and self._hard(draft):
                known.add(draft.question)
                failed = 0
                yield row_of(draft, place - 1)
        raise SynthError(f"the model made no more than {len(known)} questions", hint="a larger model, or more pages")

    def candidate(self, rng: random.Random) -> Draft | None:
        """One try: a question, or None when one of its steps fails."""
        entity = rng.choice(self._documents)
        related = self._related(entity, rng)
        if len(related) < _RELATED[0]:
            return None
        characteristics = [self._characteristic(entity.title, one) for one in related]
        described = [(one, text) for one, text in zip(related, characteristics, strict=True) if text]
        if len(described) < _RELATED[0]:
            return None
        parallel = self._question(entity.title, [text for _, text in described])
        if parallel is None:
            return None
        finds = [
            Step("find", entity.title, text, one.document.title, 1, attr="named", value=entity.title)
            for one, text in described
        ]
        draft = Draft("parallel-written", parallel, entity.title, tuple(finds))
        return draft if rng.random() < 0.5 else self._hybrid(entity, draft)

    def _related(self, entity: Document, rng: random.Random) -> list[_Related]:
        name = f" {quote_words(entity.title)} "
        related = []
        for document in self._documents:
            if document.title == entity.title or name not in f" {quote_words(document.text)} ":
                continue
            passages = (cut.text for cut in cut_passages(document.text, _WORDS))
            passage = next((text for text in passages if name in f" {quote_words(text)} "), None)
            if passage:
                related.append(_Related(document, passage))
        return rng.sample(related, min(len(related), rng.randint(*_RELATED)))

    def _characteristic(self, entity: str, related: _Related) -> str | None:
        """A short statement on the entity that does not name it."""
        task = (
            f"Text (from a page titled {related.document.title!r}): {related.passage}\n"
            f"Describe {entity!r} by one short characteristic that this text states. Do not write its name. "
            "Begin with a verb."
        )
        text = self._asked(task, "characteristic", 120)
        if not text or alike(text, entity) or _PRONOUNS.search(text) or len(set(terms(text))) < _LEAST_TERMS:
            return None
        return text if _shared(text, related.passage) >= _BORNE_OUT else None

    def _question(self, entity: str, described: Sequence[str]) -> str | None:
        listed = "\n".join(f"- {text}" for text in described)
        task = (
            f"Characteristics of one and the same thing:\n{listed}\n"
            "Write one question that asks which thing has all of them. Use all of them, no pronouns, and no name of it."
        )
        text = self._asked(task, "question", 400)
        if not text or alike(text, entity) or not text.endswith("?"):
            return None
        return text if all(_shared(characteristic, text) >= _USED for characteristic in described) else None

    def _hybrid(self, entity: Document, draft: Draft) -> Draft | None:
        """A seed question on the entity's page, with the parallel question in the entity's place."""
        passage = next((cut.text for cut in cut_passages(entity.text, _WORDS)), "")
        task = (
            f"Text: {passage}\nWrite a question about {entity.title!r} that names it and that the text answers, and "
            "the answer as it stands in the text."
        )
        seed = _object(self._model.ask(_SYSTEM, task, _SEED))
        question, answer = str(seed.get("question", "")), str(seed.get("answer", ""))
        if entity.title not in question or not answer or alike(answer, entity.title):
            return None
        if f" {quote_words(answer)} " not in f" {quote_words(entity.text)} ":
            return None
        which = draft.question.rstrip("?")
        text = f"{question.replace(entity.title, 'the one asked for here', 1).rstrip('?')}: {which}?"
        last = Step("value", answer, question, entity.title, 2, (0,))
        return Draft("hybrid-written", text, answer, (*draft.program, last))

    def _asked(self, task: str, name: str, most: int) -> str | None:
        reply = _object(self._model.ask(_SYSTEM, task, _ONE.format(name=name, most=most)))
        return str(reply.get(name, "")).strip() or None

    def _hard(self, draft: Draft) -> bool:
        titles = {result.title for result in self._search(draft.question, self._top_k)}
        hybrid = draft.kind.startswith("hybrid")
        return not set(draft.gold) <= titles and not (hybrid and draft.last in titles)


def _shared(text: str, other: str) -> float:
    """The share of the terms of `text` that `other` has."""
    words = set(terms(text))
    return len(words & set(terms(other))) / len(words)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
