"""How a model is spoken to. A dialect writes into a session what the model reads, and reads what the model writes.

`HdsDialect` is the searcher's own protocol; `guided.GuidedDialect` carries any instruct model. Both are called from the
model's thread; what they find on the way they hand to `Hooks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hds_cli.agent import calculation, protocol
from hds_cli.engine.base import Generation, Sampling, Segment, Session, StopReason
from hds_cli.events import RunContinued
from hds_cli.text import normalise
from hds_cli.types import Passage

Found = tuple[str, Sequence[Passage] | str]
"""A query and its passages, or the notice that stands in their place."""

_NO_ANSWER = {
    "",
    "not found",
    "unknown",
    "no answer",
    "none",
    "n/a",
    "not available",
    "cannot be determined",
    "no information",
}
_NOTHING = "nothing was found on "  # as the starter was taught to say of one part of a list


@dataclass(frozen=True)
class Hooks:
    """Told while the model writes, from its thread."""

    query: Callable[[str], None]
    thought: Callable[[str], None]
    answer: Callable[[str], None]


@dataclass(frozen=True)
class Written:
    """What the model wrote in one turn: queries, or an answer, or neither when it has to be asked again."""

    thought: str
    queries: tuple[str, ...] = ()
    answer: str | None = None
    explanation: str = ""
    reason: StopReason = "eos"
    tokens: int = 0
    text: str = ""  # all of it, as `Dialect.replay` takes it

    @property
    def gave_up(self) -> bool:
        """The model says itself that it found nothing, or says so of each part."""
        if self.answer is None:
            return False
        parts = normalise(self.answer).split(";")
        return all(p.rpartition(": ")[2].strip(" .!") in _NO_ANSWER or p.strip().startswith(_NOTHING) for p in parts)


class Dialect(Protocol):
    name: str

    def start(self, question: str, documents: Sequence[Passage], continued: RunContinued | None = None) -> None:
        """Begin a run; `documents` are passages of what the user attached, `continued` is what was asked before."""

    def write(self, hooks: Hooks) -> Written:
        """One turn: the model plans or answers."""

    def read(self, found: Sequence[Found]) -> None:
        """Give the model what its queries found."""

    def replay(self, text: str, found: Sequence[Found]) -> None:
        """Put in a turn of an earlier run, as if `text` had been written and `found` been read now."""

    def force(self, hooks: Hooks) -> Written:
        """Make the model answer now."""

    def room(self) -> int:
        """Tokens that may be read now; older results are dropped to make room where that helps."""


class HdsDialect:
    """The searcher's protocol: raw completion, one assistant turn that grows, markers in plain text.

    Args:
        preamble, boxed: texts of the prompt (what the model was trained with).
        temperature: None: 0.6 for turns and 0.7 for a forced answer, as in the reference.
        calculates: the model was taught to leave ordering and adding to `calculation`, which also mends its lists.
    """

    name = "hds"

    def __init__(
        self,
        session: Session,
        *,
        preamble: str | None = None,
        boxed: str | None = None,
        temperature: float | None = None,
        max_tokens: int = 4096,
        seed: int = 0,
        calculates: bool = False,
    ) -> None:
        self._session, self._calculates = session, calculates
        self._preamble = protocol.PREAMBLE if preamble is None else preamble
        self._boxed = protocol.BOXED_REQUEST if boxed is None else boxed
        self._max_tokens = max(64, min(max_tokens, session.n_ctx // 4))
        self._turn = Sampling(0.6 if temperature is None else temperature, 0.95, 20, seed=seed)
        self._final = Sampling(0.7 if temperature is None else temperature, 0.8, 20, seed=seed)
        self._parts: list[_Part] = []
        self._shown: set[int] = set()
        self._asked: list[str] = []
        self._turns = 0

    def start(self, question: str, documents: Sequence[Passage], continued: RunContinued | None = None) -> None:
        before = continued.exchanges if continued else ()
        questions = [*(exchange.question for exchange in before), question]
        self._add(protocol.prompt(questions[0], self._preamble, self._boxed))
        if continued and continued.findings:
            self._recall("I look this up.", [(f.query, f.passages) for f in continued.findings])
            self._add([Segment(f"I have all of it.\n{protocol.END_THINK}\n\n", True)])
        for exchange, following in zip(before, questions[1:], strict=True):
            self._add(protocol.next_question(exchange.answer or "not found", following))
        if documents:
            self._recall("I read the attached document first.", [("attached document", documents)])

    def _recall(self, thought: str, found: Sequence[Found]) -> None:
        """A turn that the model did not write: it asked for these, and reads them."""
        queries = ";\n".join(protocol.neutral(query) for query, _ in found)
        opening = f"{protocol.THINK}\n{thought}\n{protocol.END_THINK}\n\n{protocol.BEGIN_QUERIES}\n"
        self._add([Segment(opening, True), Segment(queries), Segment(f"\n{protocol.END_QUERIES}", True)])
        self.read(found)

    def replay(self, text: str, found: Sequence[Found]) -> None:
        self._turns += 1
        self._add([Segment(text, False)])
        self.room()  # makes room where it was made then
        self.read(found)
        self.room()

    def write(self, hooks: Hooks) -> Written:
        mark = self._session.mark()
        stream = _Stream(hooks)
        self._turns += 1
        made = self._generate(stream)
        stream.finish(closed=made.stop == protocol.END_QUERIES)
        thought = _thought(stream.parser.thought if stream.parser.found else made.text)
        if stream.parser.queries:
            response = protocol.close_thought(made.text + protocol.END_QUERIES)
            segments = [Segment(response, False)]
            self._session.rewrite(mark, segments)
            self._parts.append(_Part(tuple(segments)))
            return Written(thought, tuple(stream.parser.queries), reason=made.reason, tokens=made.tokens, text=response)
        self._parts.append(_Part((Segment(made.text, False),)))
        answer, explanation = protocol.split_answer(made.text)
        thought = _thought(made.text) if protocol.END_THINK in made.text else ""
        written = Written(thought, (), answer, explanation, made.reason, made.tokens, made.text)
        if answer and self._calculates and not written.gave_up:
            answer = calculation.stated(calculation.collected(answer, explanation), explanation, self._asked)
        return replace(written, answer=answer)

    def _generate(self, stream: _Stream) -> Generation:
        """What the model writes until a block of queries or its end, with the results of its calculations in place."""
        text, tokens = "", 0
        stop = [protocol.END_QUERIES, protocol.BEGIN_RESULTS, *([calculation.CLOSE] if self._calculates else [])]
        while True:
            made = self._session.generate(
                max_tokens=self._max_tokens - tokens,
                stop=stop,
                # A turn of its own seed: a replay of one turn does not depend on how many tokens the others drew.
                sampling=replace(self._turn, seed=self._turn.seed + self._turns + tokens),
                on_text=stream.feed,
            )
            text, tokens = text + made.text, tokens + made.tokens
            if made.stop != calculation.CLOSE or tokens >= self._max_tokens:
                return replace(made, text=text, tokens=tokens)
            result = calculation.result(text)
            closing = calculation.CLOSE + (f" = {result}" if result else "")
            self._session.append([Segment(closing)])
            stream.feed(closing)
            text += closing

    def read(self, found: Sequence[Found]) -> None:
        block = protocol.results_block(found, self._shown)
        numbers = [p for _, passages in found if not isinstance(passages, str) for p in passages]
        self._asked += [query for query, _ in found]
        short = [(query, _titles(passages)) for query, passages in found]
        self._shown |= {p.n for p in numbers}
        self._add(block, tuple(protocol.results_block(short)))

    def force(self, hooks: Hooks) -> Written:
        written = "".join(s.text for part in self._parts[1:] for s in part.segments)
        opening = protocol.forced_answer(written)
        self._add([Segment(opening, True)])
        answer = ""
        tokens = 0
        limit = min(self._max_tokens, 512)
        reason: StopReason = "length"
        while tokens < limit:
            sampling = replace(self._final, seed=self._final.seed + self._turns + tokens)
            made = self._session.generate(
                max_tokens=limit - tokens, stop=["}"], sampling=sampling, on_text=hooks.answer
            )
            answer, tokens, reason = answer + made.text, tokens + max(1, made.tokens), made.reason
            if made.reason != "stop" or protocol.balanced(answer + "}", 0)[1] is not None:
                break
            answer += "}"
            self._session.append([Segment("}", False)])
        content = protocol.boxed(protocol.BOX + answer + "}")
        return Written("", (), content or None, "", reason, tokens)

    def room(self) -> int:
        """What is left beside an answer; the oldest results shrink to their titles when that is less than a quarter."""
        session = self._session
        while (left := session.n_ctx - session.used - self._max_tokens) < session.n_ctx // 8:
            long = next((part for part in self._parts if part.short and not part.shortened), None)
            if long is None:
                break
            long.segments, long.shortened = long.short, True
            session.rewrite(0, [segment for part in self._parts for segment in part.segments])
        return max(0, left)

    def _add(self, segments: Sequence[Segment], short: tuple[Segment, ...] = ()) -> None:
        self._session.append(segments)
        self._parts.append(_Part(tuple(segments), short))


@dataclass
class _Part:
    """A stretch of the sequence, and the shorter form that may take its place."""

    segments: tuple[Segment, ...]
    short: tuple[Segment, ...] = ()
    shortened: bool = False


def _titles(found: Sequence[Passage] | str) -> str:
    if isinstance(found, str):
        return found
    return "; ".join(f"({p.n}) {p.title}" for p in found) + " (text dropped)" if found else protocol.NOTHING_FOUND


def _thought(text: str) -> str:
    return text.split(protocol.END_THINK)[0].replace(protocol.THINK, "").strip()


class _Stream:
    """Sorts a turn's text, as it comes, into thought, queries and answer."""

    _TAGS = (protocol.THINK, protocol.END_THINK, protocol.BEGIN_QUERIES, protocol.BOX)

    def __init__(self, hooks: Hooks) -> None:
        self.parser = protocol.QueryParser()
        self._hooks = hooks
        self._waiting = ""
        self._thinking = True
        self._boxed = False

    def feed(self, text: str) -> None:
        if not self.parser.found:
            self._waiting += text
            before, marker, _ = self._waiting.partition(protocol.BEGIN_QUERIES)
            if marker:
                self._waiting = before.rstrip()
            self._drain()
        for query in self.parser.feed(text):
            self._hooks.query(query)

    def finish(self, *, closed: bool) -> None:
        for query in self.parser.feed(protocol.END_QUERIES) if closed else self.parser.finish():
            self._hooks.query(query)
        if not self.parser.found:
            self._say(self._waiting.rstrip().removesuffix("}") if self._boxed else self._waiting)

    def _drain(self) -> None:
        while self._waiting:
            found = [(at, tag) for tag in self._TAGS if (at := self._waiting.find(tag)) >= 0]
            if found:
                at, tag = min(found)
                self._say(self._waiting[:at])
                self._waiting = self._waiting[at + len(tag) :]
                self._thinking = self._thinking and tag != protocol.END_THINK
                self._boxed = self._boxed or tag == protocol.BOX
                continue
            held = max(
                (n for tag in self._TAGS for n in range(1, len(tag)) if self._waiting.endswith(tag[:n])), default=0
            )
            # White space before a block of queries belongs to neither thought nor answer, nor does a box's last brace.
            body = self._waiting[: len(self._waiting) - held]
            keep = len(body) - len(body.rstrip().removesuffix("}" if self._boxed else ""))
            self._say(body[: len(body) - keep])
            self._waiting = self._waiting[len(body) - keep :]
            return

    def _say(self, text: str) -> None:
        if text:
            (self._hooks.thought if self._thinking else self._hooks.answer)(text)


def chosen(name: str | None, *, model_says: str | None, looks_like_searcher: bool, has_template: bool) -> str:
    """Which dialect: the user's choice, what the model's spec says, what its metadata says."""
    if name or model_says:
        return str(name or model_says)
    if looks_like_searcher:
        return "hds"
    return "guided" if has_template else "hds"


def strip_numbers(text: str, known: set[int]) -> tuple[str, list[int]]:
    """`text` without `[n]` that name no passage of the run, and those numbers."""
    unknown: list[int] = []

    def check(match: re.Match[str]) -> str:
        if int(match[1]) in known:
            return match[0]
        unknown.append(int(match[1]))
        return ""

    return re.sub(r"\s*\[(\d{1,4})\]", check, text), unknown


__all__ = ["Dialect", "Found", "Generation", "HdsDialect", "Hooks", "Written", "chosen", "strip_numbers"]
