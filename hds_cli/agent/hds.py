"""The searcher's own protocol: raw completion, one assistant turn that grows, markers in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from hds_cli.agent import protocol
from hds_cli.agent.dialects import Hooks, QueryResult, Speaking, Written, says_nothing
from hds_cli.engine.base import Generation, Sampling, Segment, Session, StopReason
from hds_cli.events import RunContinued
from hds_cli.types import Passage


def open_hds(speaking: Speaking) -> HdsDialect:
    """The entry point `hds` of `hds.dialects.v1`."""
    return HdsDialect.over(speaking)


class HdsDialect:
    """Speaks the searcher's protocol (HybridDeepSearcher, arXiv 2508.19113).

    A model that was taught more than the protocol has a subclass with its own `stops`, `after_stop`, `mended` and
    `gave_up`.

    Args:
        preamble, boxed: texts of the prompt (what the model was trained with).
        temperature: None: 0.6 for turns and 0.7 for a forced answer, as in the reference.
        needs_box: an answer that is in no box is asked for again; otherwise the whole message is the answer.
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
        needs_box: bool = False,
    ) -> None:
        self._session, self._needs_box = session, needs_box
        self._preamble = protocol.PREAMBLE if preamble is None else preamble
        self._boxed = protocol.BOXED_REQUEST if boxed is None else boxed
        self._max_tokens = max(64, min(max_tokens, session.n_ctx // 4))
        self._turn = Sampling(0.6 if temperature is None else temperature, 0.95, 20, seed=seed)
        self._final = Sampling(0.7 if temperature is None else temperature, 0.8, 20, seed=seed)
        self._parts: list[_Part] = []
        self._shown: set[int] = set()
        self.asked: list[str] = []
        self._turns = 0

    @classmethod
    def over(cls, speaking: Speaking) -> Self:
        """The dialect as the user's settings and the model's spec want it."""
        return cls(
            speaking.session, preamble=_dated(speaking), boxed=speaking.spec.boxed, temperature=speaking.temperature,
            max_tokens=speaking.settings.max_tokens, seed=speaking.settings.seed, needs_box=speaking.refuses,
        )  # fmt: skip

    # --- what a subclass may change ------------------------------------------------------------------------------

    stops: tuple[str, ...] = ()
    """Stop strings beside the protocol's own; `after_stop` says what comes behind one."""

    def after_stop(self, text: str) -> str:
        """The text to append to `text`, which ended at one of `stops`, before the model goes on."""
        return ""

    def mended(self, answer: str, explanation: str) -> str:
        """The answer as it is shown; `explanation` are the words around it."""
        return answer

    def gave_up(self, answer: str | None) -> bool:
        """True when the model says itself that it has no answer."""
        return says_nothing(answer)

    # --- the dialect ---------------------------------------------------------------------------------------------

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

    def _recall(self, thought: str, results: Sequence[QueryResult]) -> None:
        """Put in a turn that the model did not write: a thought, its queries, and their results."""
        queries = ";\n".join(protocol.neutral(query) for query, _ in results)
        opening = f"{protocol.THINK}\n{thought}\n{protocol.END_THINK}\n\n{protocol.BEGIN_QUERIES}\n"
        self._add([Segment(opening, True), Segment(queries), Segment(f"\n{protocol.END_QUERIES}", True)])
        self.read(results)

    def replay(self, text: str, results: Sequence[QueryResult]) -> None:
        self._turns += 1
        self._add([Segment(text, False)])
        self.make_room()  # the original run made room at this place
        self.read(results)
        self.make_room()

    def write(self, hooks: Hooks) -> Written:
        mark = self._session.mark()
        stream = _Stream(hooks)
        self._turns += 1
        generation = self._generate(stream)
        stream.finish(closed=generation.stop == protocol.END_QUERIES)
        thought = _thought(stream.parser.thought if stream.parser.begun else generation.text)
        if stream.parser.queries:
            response = protocol.close_thought(generation.text + protocol.END_QUERIES)
            segments = [Segment(response, False)]
            self._session.rewrite(mark, segments)
            self._parts.append(_Part(tuple(segments)))
            return Written(
                thought, tuple(stream.parser.queries), reason=generation.reason, tokens=generation.tokens, text=response
            )
        self._parts.append(_Part((Segment(generation.text, False),)))
        answer, explanation = protocol.split_answer(generation.text)
        thought = _thought(generation.text) if protocol.END_THINK in generation.text else ""
        message = protocol.last_message(generation.text)
        if answer is None and message and not self._needs_box and generation.reason != "length":
            answer, explanation = message, ""
        written = Written(
            thought, (), answer, explanation, generation.reason, generation.tokens, generation.text, message=message
        )
        if self.gave_up(answer):
            return replace(written, gave_up=True)
        return replace(written, answer=self.mended(answer, explanation)) if answer else written

    def _generate(self, stream: _Stream) -> Generation:
        """The model's text until a block of queries or its end, with the additions of `after_stop` in place."""
        text, tokens = "", 0
        stop = [protocol.END_QUERIES, protocol.BEGIN_RESULTS, *self.stops]
        while True:
            generation = self._session.generate(
                max_tokens=self._max_tokens - tokens,
                stop=stop,
                # Each turn has its own seed: its replay does not depend on how many tokens other turns drew.
                sampling=replace(self._turn, seed=self._turn.seed + self._turns + tokens),
                on_text=stream.feed,
            )
            text, tokens = text + generation.text, tokens + generation.tokens
            if generation.stop not in self.stops or tokens >= self._max_tokens:
                return replace(generation, text=text, tokens=tokens)
            mark, result = generation.stop or "", self.after_stop(text)
            self._session.append([Segment(mark), Segment(result)])  # apart: the model is trained to write the first
            stream.feed(mark + result)
            text += mark + result

    def read(self, results: Sequence[QueryResult], notes: Sequence[Segment] = ()) -> None:
        block = protocol.results_block(results, self._shown, notes)
        numbers = [p.n for _, passages in results if not isinstance(passages, str) for p in passages]
        self.asked += [query for query, _ in results]
        short = [(query, _titles(passages)) for query, passages in results]
        self._shown |= set(numbers)
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
            generation = self._session.generate(
                max_tokens=limit - tokens, stop=["}"], sampling=sampling, on_text=hooks.answer
            )
            answer, tokens, reason = answer + generation.text, tokens + max(1, generation.tokens), generation.reason
            if generation.reason != "stop" or protocol.balanced(answer + "}", 0)[1] is not None:
                break
            answer += "}"
            self._session.append([Segment("}", False)])
        content = protocol.boxed(protocol.BOX + answer + "}")
        message = f"{protocol.BOX}{content}}}" if content else ""
        return Written(
            "", (), content or None, "", reason, tokens, gave_up=self.gave_up(content or None), message=message
        )

    def make_room(self) -> int:
        """The tokens left beside an answer. Below an eighth of the context, old results shrink to their titles."""
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


def _titles(passages: Sequence[Passage] | str) -> str:
    if isinstance(passages, str):
        return passages
    titles = "; ".join(f"({p.n}) {p.title}" for p in passages)
    return f"{titles} (text dropped)" if titles else protocol.NOTHING_FOUND


def _thought(text: str) -> str:
    return text.split(protocol.END_THINK)[0].replace(protocol.THINK, "").strip()


def _dated(speaking: Speaking) -> str | None:
    """The prompt's text with the day in place of `{today}`; a trained text has no such place."""
    text = speaking.preamble
    return text.replace("{today}", speaking.settings.today or "") if text else text


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
        if not self.parser.begun:
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
        if not self.parser.begun:
            self._say(self._waiting.rstrip().removesuffix("}") if self._boxed else self._waiting)

    def _drain(self) -> None:
        while self._waiting:
            tags = [(at, tag) for tag in self._TAGS if (at := self._waiting.find(tag)) >= 0]
            if tags:
                at, tag = min(tags)
                self._say(self._waiting[:at])
                self._waiting = self._waiting[at + len(tag) :]
                self._thinking = self._thinking and tag != protocol.END_THINK
                self._boxed = self._boxed or tag == protocol.BOX
                continue
            held = max(
                (n for tag in self._TAGS for n in range(1, len(tag)) if self._waiting.endswith(tag[:n])), default=0
            )
            # Neither thought nor answer get white space before a block of queries, or the last brace of a box.
            body = self._waiting[: len(self._waiting) - held]
            keep = len(body) - len(body.rstrip().removesuffix("}" if self._boxed else ""))
            self._say(body[: len(body) - keep])
            self._waiting = self._waiting[len(body) - keep :]
            return

    def _say(self, text: str) -> None:
        if text:
            (self._hooks.thought if self._thinking else self._hooks.answer)(text)


__all__ = ["HdsDialect", "open_hds"]
