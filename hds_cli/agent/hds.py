"""The searcher's own protocol: raw completion, one assistant turn that grows, markers in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from hds_cli.agent import protocol
from hds_cli.agent.dialects import Hooks, QueryResult, Reader, Speaking, Written, says_nothing
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
        temperature: None: 0.6 for turns and 0.7 for a forced answer, as in the reference. It comes before top-k and
            top-p there.
        needs_box: an answer that is in no box is asked for again; otherwise the whole message is the answer.
        reader: makes prose of the passages of a turn; None: the model reads the passages.
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
        reader: Reader | None = None,
    ) -> None:
        self._session, self._needs_box, self._reader = session, needs_box, reader
        self._preamble = protocol.PREAMBLE if preamble is None else preamble
        self._boxed = protocol.BOXED_REQUEST if boxed is None else boxed
        self._max_tokens = max(64, min(max_tokens, session.n_ctx // 4))
        self._turn = Sampling(0.6 if temperature is None else temperature, 0.95, 20, seed=seed, temperature_first=True)
        self._final = replace(self._turn, temperature=0.7 if temperature is None else temperature, top_p=0.8)
        self._parts: list[_Part] = []
        self._question = ""
        self._unclosed = False  # the end marker of the last block of queries comes with what is read
        self._shown: set[int] = set()
        self.asked: list[str] = []
        self._turns = 0

    @classmethod
    def over(cls, speaking: Speaking) -> Self:
        """The dialect as the user's settings and the model's spec want it."""
        return cls(
            speaking.session, preamble=_dated(speaking), boxed=speaking.spec.boxed, temperature=speaking.temperature,
            max_tokens=speaking.settings.max_tokens, seed=speaking.settings.seed, needs_box=speaking.refuses,
            reader=None if cls.older else speaking.reader,
        )  # fmt: skip

    # --- what a subclass may change ------------------------------------------------------------------------------

    older: bool = False
    """True for a model that was trained with a line a passage, and the blank before the question apart from it."""

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
        self._question = question
        self._add(protocol.prompt(questions[0], self._preamble, self._boxed, older=self.older))
        if continued and continued.findings:
            self._recall("I look this up.", [(f.query, f.passages) for f in continued.findings])
            self._add([Segment(f"I have all of it.\n{protocol.END_THINK}\n\n", True)])
        for exchange, following in zip(before, questions[1:], strict=True):
            self._add(protocol.next_question(exchange.answer or "not found", following, older=self.older))
        if documents:
            self._recall("I read the attached document first.", [("attached document", documents)])

    def _recall(self, thought: str, results: Sequence[QueryResult]) -> None:
        """Put in a turn that the model did not write: a thought, its queries, and their results."""
        queries = ";\n".join(protocol.neutral(query) for query, _ in results)
        opening = f"{protocol.THINK}\n{thought}\n{protocol.END_THINK}\n\n{protocol.BEGIN_QUERIES}\n"
        self._add([Segment(opening, True), Segment(f"{queries}\n")])
        self._unclosed = True
        self._show(results)

    def replay(self, text: str, results: Sequence[QueryResult]) -> None:
        self._turns += 1
        self._unclosed = text.endswith(protocol.END_QUERIES)
        self._add([Segment(text.removesuffix(protocol.END_QUERIES), False)])
        self.make_room()  # the original run made room at this place
        self._show(results)
        self.make_room()

    def write(self, hooks: Hooks) -> Written:
        mark = self._session.mark()
        stream = _Stream(hooks)
        self._turns += 1
        generation = self._generate(stream)
        stream.finish(closed=generation.stop == protocol.END_QUERIES)
        thought = _thought(stream.parser.thought if stream.parser.begun else generation.text)
        if stream.parser.queries:
            response = Segment(protocol.close_thought(generation.text))
            self._session.rewrite(mark, [response])
            self._parts.append(_Part(mark, (response,)))
            self._unclosed = True
            return Written(
                thought, tuple(stream.parser.queries), reason=generation.reason, tokens=generation.tokens,
                text=response.text + protocol.END_QUERIES,
            )  # fmt: skip
        self._parts.append(_Part(mark, (Segment(generation.text, False),)))
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
            named = generation.stop == protocol.END_QUERIES and not stream.parser.begun  # in a thought: it goes on
            if not (named or generation.stop in self.stops) or tokens >= self._max_tokens:
                return replace(generation, text=text, tokens=tokens)
            mark, result = generation.stop or "", "" if named else self.after_stop(text)
            self._session.append([Segment(mark), Segment(result)])  # apart: the model is trained to write the first
            stream.feed(mark + result)
            text += mark + result

    def read(self, results: Sequence[QueryResult], notes: Sequence[Segment] = ()) -> None:
        if self._reader is not None and results:
            written = protocol.END_QUERIES if self._unclosed else ""
            results = self._reader(self._question, self._written() + written, results)
        self._show(results, notes)

    def _show(self, results: Sequence[QueryResult], notes: Sequence[Segment] = ()) -> None:
        """Put in a block of results, behind the end marker of the queries in one piece with it."""
        ending, self._unclosed = protocol.END_QUERIES if self._unclosed else "", False
        numbers = [p.n for _, passages in results if not isinstance(passages, str) for p in passages]
        self.asked += [query for query, _ in results]
        short = [(query, _titles(found)) for query, found in results]
        forms = [
            protocol.results_block(results, self._shown, notes, older=self.older),
            protocol.results_block(short, older=self.older),
        ]
        for block in forms:
            block[0] = Segment(ending + block[0].text, True)
        self._shown |= set(numbers)
        self._add(forms[0], tuple(forms[1]))

    def force(self, hooks: Hooks) -> Written:
        opening = self._open_answer()
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
            "", (), content or None, "", reason, tokens, gave_up=self.gave_up(content or None), message=message,
            text=f"{opening}{answer}}}",
        )  # fmt: skip

    def _written(self) -> str:
        """All text behind the prompt."""
        return "".join(s.text for part in self._parts[1:] for s in part.segments)

    def _open_answer(self) -> str:
        """Cut the blanks and markers at the end of what was written, and begin the box; returns what begins it."""
        self._unclosed = False
        written = self._written()
        kept = protocol.without_markers(written)
        opening = protocol.forced_answer(kept)
        body = opening.lstrip("\n")
        extra, ends = len(written) - len(kept), opening.removesuffix(body)
        if self.older or len(self._parts) < 2:
            self._add([Segment(opening if written else body, True)])
            return opening
        while extra >= (size := sum(len(text) for text, _ in self._parts[-1].segments)) and len(self._parts) > 2:
            extra -= size
            self._parts.pop()
        last = self._parts[-1]
        segments = list(last.segments)
        while segments and extra >= len(segments[-1].text):
            extra -= len(segments.pop().text)
        if segments:  # the line's end belongs to the text before it, as in a text that is tokenized as a whole
            text, trusted = segments[-1]
            segments[-1] = Segment(text[: len(text) - extra] + ends, trusted)
        last.segments, last.short = tuple(segments), ()
        self._session.rewrite(last.mark, segments)
        self._add([Segment(body, True)])
        return opening

    def make_room(self) -> int:
        """The tokens left beside an answer. Below an eighth of the context, results shrink to their titles.

        All do but the last: what follows the first of them is evaluated again, so it is done rarely, and much at once.
        """
        session = self._session
        while (left := session.n_ctx - session.used - self._max_tokens) < session.n_ctx // 8:
            long = [part for part in self._parts if part.short and not part.shortened]
            if not long:
                break
            for part in long[:-1] or long:
                part.segments, part.shortened = part.short, True
            session.rewrite(long[0].mark, long[0].segments)
            for part in self._parts[self._parts.index(long[0]) + 1 :]:
                part.mark = session.mark()
                session.append(part.segments)
        return max(0, left)

    def _add(self, segments: Sequence[Segment], short: tuple[Segment, ...] = ()) -> None:
        mark = self._session.mark()
        self._session.append(segments)
        self._parts.append(_Part(mark, tuple(segments), short))


@dataclass(eq=False)
class _Part:
    """A stretch of the sequence from `mark` on, and the shorter form that may take its place."""

    mark: int
    segments: tuple[Segment, ...]
    short: tuple[Segment, ...] = ()
    shortened: bool = False


def _titles(found: Sequence[Passage] | str) -> str:
    """Passages by their titles, also those of which a reader made prose."""
    passages: Sequence[Passage] = getattr(found, "passages", ()) if isinstance(found, str) else found
    if isinstance(found, str) and not passages:
        return found
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

    _TAGS = (protocol.THINK, protocol.END_THINK, protocol.BOX)

    def __init__(self, hooks: Hooks) -> None:
        self.parser = protocol.QueryParser()
        self._hooks = hooks
        self._waiting = ""
        self._taken = 0  # characters before those that wait
        self._thinking = True
        self._boxed = False
        self._over = False

    def feed(self, text: str) -> None:
        queries = self.parser.feed(text)
        if not self._over:
            self._waiting += text
            self._drain()
        for query in queries:
            self._hooks.query(query)

    def finish(self, *, closed: bool) -> None:
        for query in self.parser.feed(protocol.END_QUERIES) if closed else self.parser.finish():
            self._hooks.query(query)
        if not self._over:
            self._drain()
        if not self._over:
            self._say(self._waiting.rstrip().removesuffix("}") if self._boxed else self._waiting)

    def _drain(self) -> None:
        """Say what waits, but for what may be a part of a tag or the blanks before a block of queries."""
        if self.parser.begun:
            self._waiting, self._over = self.parser.thought[self._taken :].rstrip(), True
        while self._waiting:
            tags = [(at, tag) for tag in self._TAGS if (at := self._waiting.find(tag)) >= 0]
            if not tags:
                break
            at, tag = min(tags)
            self._say(self._waiting[:at])
            self._take(at + len(tag))
            self._thinking = self._thinking and tag != protocol.END_THINK
            self._boxed = self._boxed or tag == protocol.BOX
        # Neither thought nor answer get white space before a block of queries, or the last brace of a box.
        body = self._waiting if self._over else self._waiting[: len(self._waiting) - self._held()]
        keep = len(body.rstrip().removesuffix("}" if self._boxed else ""))
        self._say(body[:keep])
        self._take(keep)

    def _held(self) -> int:
        """The number of last characters that may begin a tag, or open a block of queries."""
        text = self._waiting.rstrip(" \t\r")
        if text.endswith(protocol.BEGIN_QUERIES):
            return len(self._waiting) - len(text) + len(protocol.BEGIN_QUERIES)
        return max(
            (
                n
                for tag in (*self._TAGS, protocol.BEGIN_QUERIES)
                for n in range(1, len(tag))
                if self._waiting.endswith(tag[:n])
            ),
            default=0,
        )

    def _take(self, count: int) -> None:
        self._waiting, self._taken = self._waiting[count:], self._taken + count

    def _say(self, text: str) -> None:
        if text:
            (self._hooks.thought if self._thinking else self._hooks.answer)(text)


__all__ = ["HdsDialect", "open_hds"]
