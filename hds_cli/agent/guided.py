"""Any instruct model as a searcher: its own chat template, a grammar for every answer, one small task at a time.

Planning and reading are separate tasks with a few examples each; both share one prompt prefix, so that it is evaluated
once. What a reading claims is believed only if it stands in the passage it was read from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hds_cli.agent import protocol, templates
from hds_cli.agent.dialects import Hooks, QueryResult, Speaking, Written, says_nothing
from hds_cli.agent.listing import counted, listed
from hds_cli.engine.base import ChatTemplate, Generation, OnText, Sampling, Segment, Session
from hds_cli.events import RunContinued
from hds_cli.text import cut_passages, normalise, quote_words, terms
from hds_cli.text.language import answer_language
from hds_cli.types import Passage

_SYSTEM = """You help with research. There are two tasks.
PLAN: you see a question and the facts found so far. If facts are missing, write search queries, one for each fact, as many at once as do not depend on each other. If the facts answer the question, write the answer: short (a name, a number with its unit, yes or no), or sentences where the question asks why or how, and a line ("\\n") for each part where it asks for a list.
READ: you see passages and a search query. Copy the shortest words from the passages that answer the query, with the number of the passage. If the passages do not say, write "not found"."""  # noqa: E501

_LANGUAGE = "\nAnswer in {}."

_EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "PLAN\nQuestion: Who wrote Dracula and who wrote Emma?\nFacts:\nnone",
        '{"thought": "Two facts, independent of each other.", "queries": ["author of Dracula", "author of Emma"]}',
    ),
    (
        "READ\nPassages:\n[1] Emma (novel): Emma is a novel written by Jane Austen. It appeared in 1815.\n"
        "Query: author of Emma",
        '{"answer": "Jane Austen", "passage": 1}',
    ),
    (
        "PLAN\nQuestion: Who wrote Dracula and who wrote Emma?\nFacts:\n- author of Dracula: Bram Stoker\n"
        "- author of Emma: Jane Austen",
        '{"thought": "Both facts are known.", "answer": "Bram Stoker and Jane Austen"}',
    ),
    (
        "READ\nPassages:\n[4] Copper: Copper is a soft metal of reddish colour.\nQuery: melting point of copper",
        '{"answer": "not found", "passage": 0}',
    ),
    (
        "PLAN\nQuestion: In which city was the painter of The Night Watch born?\nFacts:\nnone",
        '{"thought": "First I need the painter.", "queries": ["painter of The Night Watch"]}',
    ),
    (
        "PLAN\nQuestion: In which city was the painter of The Night Watch born?\nFacts:\n"
        "- painter of The Night Watch: Rembrandt",
        '{"thought": "Now the city.", "queries": ["city where Rembrandt was born"]}',
    ),
)
_RULES = r"""
char ::= [^"\\\x00-\x1F\x7F]
text ::= char | "\\" ["\\n]
thought ::= "{\"thought\": \"" char{0,200} "\", "
queries ::= "\"queries\": [" query (", " query){0,%d} "]}"
query ::= "\"" char{2,120} "\""
answer ::= "\"answer\": \"" text+ "\"}"
reading ::= "{\"answer\": \"" text{1,500} "\", \"passage\": " [0-9]{1,3} "}"
"""
_PLAN = "root ::= thought (queries | answer)" + _RULES
_SEARCH = "root ::= thought queries" + _RULES
_ANSWER = "root ::= thought answer" + _RULES
_READ = "root ::= reading" + _RULES
_MOST_ANSWER, _ANSWER_TOKENS = 4000, 1200  # characters; tokens, which a model that repeats itself does not reach
_NAME = 5  # words of a name
_LIKE = 0.8  # share of a reading's words that its passage has to have; not tuned
_CHOICE = re.compile(r",|;|\b(?:or|oder|ou|o|which of|among|between|entre|tra|или)\b", re.IGNORECASE)
_YES_OR_NO = re.compile(r"(?:yes|no|true|false|both|neither|none|ja|nein|oui|non|sí|si|sì)", re.IGNORECASE)
_COMPLETE = re.compile(r'"((?:[^"\\])*)"\s*(?=[,\]])')


@dataclass(frozen=True)
class _Fact:
    query: str
    value: str
    passage: int


def open_guided(speaking: Speaking) -> GuidedDialect:
    """The entry point `guided` of `hds.dialects.v1`.

    Raises:
        ModelUnusable: the model has no chat template, or one that does not render.
    """
    return GuidedDialect(
        speaking.session, speaking.template, temperature=speaking.temperature, seed=speaking.settings.seed,
        max_queries=speaking.settings.max_queries, max_turns=speaking.settings.max_turns,
        today=speaking.settings.today, language=speaking.settings.language,
    )  # fmt: skip


class GuidedDialect:
    """Carries an instruct model through a run by grammar.

    Args:
        template: the model's chat template.
        temperature: None: 0, the likeliest token.
        max_turns: as many turns may search; the plan says how many are left. 0: it says nothing of them.

    Raises:
        ModelUnusable: the model has no chat template, or one that does not render.
    """

    name = "guided"

    def __init__(
        self,
        session: Session,
        template: ChatTemplate | None,
        *,
        temperature: float | None = None,
        seed: int = 0,
        max_queries: int = 8,
        max_turns: int = 0,
        today: str | None = None,
        language: str | None = None,
    ) -> None:
        self._session, self._template, self._today = session, templates.needed(template), today
        self._turns_left, self._max_queries = max_turns, max_queries
        self._afforded: tuple[int, int | None] = max_turns, None
        self._system = _SYSTEM + _LANGUAGE.format(answer_language(language))
        self._sampling = Sampling(temperature or 0.0, 0.95, 40, seed=seed)
        self._grammars = {name: rules % max(0, max_queries - 1) for name, rules in
                          (("plan", _PLAN), ("search", _SEARCH), ("answer", _ANSWER), ("read", _READ))}  # fmt: skip
        self._facts: list[_Fact] = []
        self._read: set[str] = set()  # terms of all passages
        self._missing: list[tuple[str, str]] = []
        self._asked: set[str] = set()
        self._unread: list[tuple[str, Sequence[Passage]]] = []
        self._notes: list[str] = []
        self._prefix = session.rewrite(0, self._render("PLAN"))  # asked for by `make_room`, before a run starts

    def start(self, question: str, documents: Sequence[Passage], continued: RunContinued | None = None) -> None:
        asked = protocol.follow_up(question, continued.exchanges) if continued else question
        self._question = protocol.neutral(asked)
        self._unread += [(f.query, f.passages) for f in (continued.findings if continued else ())]
        if documents:
            self._unread.append((question, documents))

    def write(self, hooks: Hooks) -> Written:
        tokens = self._read_all()
        plan = self._ask(self._plan(self._left()), "plan" if self._facts or self._missing else "search", hooks)
        self._turns_left -= 1
        written = self._written(plan, tokens)
        fresh = [q for q in written.queries if protocol.query_key(q) not in self._asked]
        self._asked |= {protocol.query_key(q) for q in written.queries}
        if written.queries and not fresh:
            # A small model asks again for facts it already has; this makes it use them.
            return self._answer(hooks, tokens + plan.tokens)
        return written

    def read(self, results: Sequence[QueryResult], notes: Sequence[Segment] = ()) -> None:
        for query, passages in results:
            if not isinstance(passages, str):
                self._unread.append((query, passages))
            elif passages != protocol.REPEATED:
                self._missing.append((query, f" ({passages})"))
                self._asked.discard(protocol.query_key(query))  # asked again, it is no repetition
        self._notes = [note.text if note.trusted else _line(note.text) for note in notes]

    def replay(self, text: str, results: Sequence[QueryResult]) -> None:
        self._asked |= {protocol.query_key(query) for query, _ in results}
        self._turns_left -= 1
        self.read(results)  # the readings are made again: they need no search, and come out the same

    def afford(self, turns: int, tokens: int | None) -> None:
        """So many turns may still search, with so many tokens of passages in each."""
        self._afforded = turns, tokens

    def force(self, hooks: Hooks) -> Written:
        return self._answer(hooks, self._read_all())

    def make_room(self) -> int:
        return max(0, self._session.n_ctx - self._prefix - 900)

    # --- tasks ---------------------------------------------------------------------------------------------------

    def _read_all(self) -> int:
        """Read the passages of every query that came back, each by itself; returns the tokens written."""
        tokens = 0
        searched = {protocol.query_key(query) for query, _ in self._unread}
        self._missing = [entry for entry in self._missing if protocol.query_key(entry[0]) not in searched]
        for query, passages in self._unread:
            generation = self._ask(self._reading(query, passages), "read", None) if passages else None
            self._read.update(term for passage in passages for term in terms(passage.full))
            tokens += generation.tokens if generation else 0
            fact = _fact(query, generation.text, passages) if generation else None
            if fact:
                self._facts.append(fact)
            else:
                self._missing.append((query, _why(passages)))
        self._unread = []
        return tokens

    def _reading(self, query: str, passages: Sequence[Passage]) -> str:
        # Passages are not datamarked (arXiv 2403.14720): marks between the words double the tokens (2.07 times over 84
        # pages). An order in a page gains little: an answer whose words the passage does not have is not believed.
        return f"READ\nPassages:\n{listed(passages)}\nQuery: {protocol.neutral(query)}"

    def _plan(self, left: str = "") -> str:
        """The task of a turn; `left`: a line on what is left, where it may search."""
        known = [f"- {_line(f.query)}: {_line(f.value)}" for f in self._facts]
        known += [f"- {_line(query)}: not found{why}" for query, why in self._missing]
        known += [f"- {note}" for note in self._notes]
        day = f"Today is {self._today}.\n" if self._today else ""
        return f"PLAN\n{day}{left}Question: {self._question}\nFacts:\n" + ("\n".join(known) or "none")

    def _left(self) -> str:
        """The line of the plan on what is left: `Left: 4 turns, 8 queries in each, 2300 tokens of passages.`"""
        count, tokens = min(self._turns_left, self._afforded[0]), self._afforded[1]
        if count <= 0:
            return ""
        turns = "1 turn" if count == 1 else f"{count} turns"
        room = self.make_room() if tokens is None else min(self.make_room(), tokens)
        room = room // 100 * 100
        return f"Left: {turns}, {self._max_queries} queries in each, {room} tokens of passages.\n"

    def _answer(self, hooks: Hooks, tokens: int) -> Written:
        generation = self._ask(self._plan(), "answer", hooks)
        return self._written(generation, tokens)

    def _written(self, generation: Generation, tokens: int) -> Written:
        values = _values(generation.text)
        thought = str(values.get("thought") or "")
        tokens += generation.tokens
        proposed = values.get("queries")
        if isinstance(proposed, list):
            queries = [q for q in (protocol.clean_query(str(item)) for item in proposed) if q]
            unique = list({protocol.query_key(q): q for q in reversed(queries)}.values())[::-1]
            return Written(thought, tuple(unique), reason=generation.reason, tokens=tokens, text=generation.text)
        stated = values.get("answer")
        answer = self._believed(str(stated)) if stated else None
        explanation = " ".join(f"{f.query}: {f.value} [{f.passage}]." for f in self._facts)
        return Written(
            thought, (), answer, explanation, generation.reason, tokens, generation.text, says_nothing(answer)
        )

    def _believed(self, answer: str) -> str:
        """The answer as the model wrote it: what it says is graded, not replaced.

        Without a fact there is none. A name gives way to the facts that stands in nothing that was read, or that only
        repeats a question without a choice: small models write these.
        """
        if not self._facts:
            return "not found"
        said = [word for word in answer.split() if any(map(str.isalnum, word))]
        is_name = len(said) <= _NAME and all(word[:1].isupper() for word in said)
        if is_name and not _YES_OR_NO.fullmatch(answer.strip(" .!")) and self._is_no_find(set(terms(answer))):
            return ", ".join(dict.fromkeys(f.value for f in self._facts))
        return answer[:_MOST_ANSWER].strip()

    def _is_no_find(self, name: set[str]) -> bool:
        asked = set(terms(self._question))
        if name <= asked:
            return not _CHOICE.search(self._question)
        return not name & (asked | self._read | {term for f in self._facts for term in terms(f.value)})

    def _ask(self, task: str, grammar: str, hooks: Hooks | None) -> Generation:
        self._session.rewrite(0, self._render(task))
        may_answer = grammar == "answer" or (grammar == "plan" and bool(self._facts))
        return self._session.generate(
            max_tokens=_ANSWER_TOKENS if may_answer else 400, sampling=self._sampling,
            grammar=self._grammars[grammar], on_text=_watch(hooks),
        )  # fmt: skip

    def _render(self, task: str) -> list[Segment]:
        turns = [turn for asked, answered in _EXAMPLES for turn in (("user", asked), ("assistant", answered))]
        turns += [("user", task)]
        return templates.conversation(self._template, self._system, turns, today=self._today, held=True)


def _why(passages: Sequence[Passage]) -> str:
    """The plan's note on a query without a fact: the reason for pages that could not be read, or how to read on."""
    why = _line(getattr(passages, "why", ""))
    if not passages:
        return f" ({why or 'nothing was found'})"
    lost = f" ({why})" if why else ""
    return f' in {counted(passages)}{lost}; the query "more: [{passages[0].n}]" reads on there'


def _line(text: str) -> str:
    return protocol.neutral(protocol.one_line(text))


def _fact(query: str, text: str, passages: Sequence[Passage]) -> _Fact | None:
    """The fact of a reading whose value stands in a passage: the passage it names, else the first that has it.

    For any other reading, and for a value that only repeats the query: the first sentence with every word of the query.
    """
    values = _values(text)
    value = str(values.get("answer") or "").strip()
    value_words = quote_words(value)
    if normalise(value).strip(" .") == "not found":
        return None
    if set(terms(value)) - set(terms(query)):
        named = [p for p in passages if p.n == values.get("passage")]
        for passage in (*named, *passages):
            if f" {value_words} " in f" {quote_words(passage.full)} ":
                return _Fact(query, value, passage.n)
        if named and _is_like(value, named[0]):
            return _Fact(query, value, named[0].n)
    for passage in passages:
        for cut in cut_passages(passage.text):
            for sentence in cut.sentences:
                if set(terms(query)) <= set(terms(sentence)):
                    return _Fact(query, sentence, passage.n)
    return None


def _is_like(value: str, passage: Passage) -> bool:
    """True for a reading in other words: the passage has most of them, and each that has a digit."""
    own, has = set(terms(value)), set(terms(passage.full))
    numbers = {term for term in own if any(map(str.isdigit, term))}
    return len(own) > 1 and numbers <= has and len(own & has) >= _LIKE * len(own)


def _values(text: str) -> dict[str, object]:
    """The JSON object in `text`; of an object that was cut off, the complete members."""
    text = text.removesuffix("\\") if (len(text) - len(text.rstrip("\\"))) % 2 else text
    for end in ("", '"}', '"]}', "]}", "}"):
        try:
            values = json.loads(text + end)
        except ValueError:
            continue
        return values if isinstance(values, dict) else {}
    return {}


def _watch(hooks: Hooks | None) -> OnText | None:
    """Hands out each query as soon as its closing quote is written."""
    if hooks is None:
        return None
    text = ""
    sent: set[str] = set()

    def take(piece: str) -> None:
        nonlocal text
        text += piece
        _, opened, block = text.partition('"queries": [')
        if not opened:
            return
        for match in _COMPLETE.finditer(block):
            query = protocol.clean_query(match[1])
            if query and protocol.query_key(query) not in sent:
                sent.add(protocol.query_key(query))
                hooks.query(query)

    return take


__all__ = ["GuidedDialect", "open_guided"]
