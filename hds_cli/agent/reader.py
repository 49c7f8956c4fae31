"""A reader: prose of the passages that each query led to, written by a model beside the searcher's own text.

The searcher was trained with one (HybridDeepSearcher, arXiv 2508.19113: one call a query, thinking off). Here it sees
the passages that were chosen already, the question, the last thoughts and the query. Each of its sentences keeps the
numbers of the passages that it is grounded in; one without ground is dropped.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

from hds_cli.agent import templates
from hds_cli.agent.dialects import QueryResult
from hds_cli.agent.listing import listed
from hds_cli.agent.protocol import BEGIN_QUERIES, BEGIN_RESULTS, END_THINK, NOTHING_FOUND, neutral, one_line
from hds_cli.agent.support.attribution import attributed
from hds_cli.agent.support.message import MARK
from hds_cli.engine.base import ChatTemplate, Counter, Generation, Sampling, Segment, Session
from hds_cli.errors import ModelError, ScriptEnded
from hds_cli.types import Passage

MAX_TOKENS = 2048  # as in the reference, and so are temperature, top-p and top-k
_MAX_LINE = 1200  # characters of a thought's line
_KEPT_WHOLE, _LAST = 5, 4  # steps of a short reasoning; the last ones of a longer one (an empty step is among them)

SYSTEM = "You are a helpful assistant. You read passages of web pages for a researcher."
GUIDE = f"""Read the passages at the end and write down what helps with the search query.

1. Read every passage. Take only facts that stand in them.
2. Keep what the question and the reasoning so far need: names, numbers and dates, each with what it is of.
3. Write short sentences that can be understood one by one. No list of sources, no advice, nothing of your own.
4. Begin your answer with the line below, and write the sentences under it:
**Final Information**
5. If the passages hold nothing that helps, write that line and under it:
{NOTHING_FOUND}"""

_HEADER = "**Final Information**"
_LIKE_HEADER = re.compile(r"^[ \t#*]*Final Information[ \t]*:?[ \t*]*:?", re.IGNORECASE | re.MULTILINE)
_END = re.compile(r"([.!?…。！？]+)$")


class Sessions(Protocol):
    """Where the sessions of a reader come from."""

    def fork(self) -> Session:
        """A session to read in."""

    def done(self, sessions: Sequence[Session]) -> None:
        """Take the sessions of a turn back, in the order of their queries."""

    def close(self) -> None:
        """No more is read."""


class Prose(str):
    """A reader's text on a query; `passages`: those that it read; `dropped`: its sentences without ground."""

    passages: tuple[Passage, ...]
    dropped: int

    def __new__(cls, text: str, passages: Sequence[Passage] = (), dropped: int = 0) -> Self:
        prose = super().__new__(cls, text)
        prose.passages, prose.dropped = tuple(passages), dropped
        return prose

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (str(self), self.passages, self.dropped))


class ModelReader:
    """Makes prose of the passages of a turn, all its queries at once; called from the searcher's thread.

    Args:
        template: the reader's chat template; None: ChatML with an empty thought, as Qwen3 has it.
        counter: gets the tokens of every call.
    """

    def __init__(
        self, sessions: Sessions, template: ChatTemplate | None, *, seed: int = 0, counter: Counter | None = None
    ) -> None:
        self._sessions, self._template = sessions, template
        self._seed, self._counter = seed, counter
        self.say: Callable[[str], None] = lambda _: None
        """Told how many sentences had no ground, and which queries were left to their passages."""
        self._lock = threading.Lock()
        self._reading: list[Session] = []
        self._aborted = False

    def __call__(self, question: str, written: str, results: Sequence[QueryResult]) -> list[QueryResult]:
        """The results with prose in place of passages; those of a query that could not be read stay passages."""
        out = list(results)
        thoughts = last_thoughts(written)
        work = [(n, query, found) for n, (query, found) in enumerate(out) if found and not isinstance(found, str)]
        texts = self._write([self._segments(question, thoughts, query, found) for _, query, found in work])
        left, dropped = [], 0
        for (n, query, found), text in zip(work, texts, strict=True):
            if text is None:
                left.append(query)
                continue
            prose = grounded(final_information(text), question, query, found)
            dropped += prose.dropped
            out[n] = query, prose
        if dropped:
            were = "sentence of the reader was" if dropped == 1 else "sentences of the reader were"
            self.say(f"{dropped} {were} left out, as no passage says it")
        if left:
            self.say(f"left to the passages, as the reader did not come to an end: {'; '.join(left)}")
        return out

    def abort(self) -> None:
        """End what is being read, and read nothing any more: what is not read stays passages."""
        with self._lock:
            self._aborted = True
            reading = list(self._reading)
        for session in reading:
            session.abort()

    def close(self) -> None:
        """Give back what its sessions hold."""
        self.abort()
        self._sessions.close()

    def _write(self, prompts: Sequence[Sequence[Segment]]) -> list[str | None]:
        """The answer to each prompt, one session and one thread each; None where there is none."""
        with self._lock:
            if self._aborted:
                return [None] * len(prompts)
            self._reading = [self._sessions.fork() for _ in prompts]
        answers: list[Generation | BaseException | None] = [None] * len(prompts)

        def write(number: int) -> None:
            session = self._reading[number]
            try:
                session.rewrite(0, prompts[number])
                sampling = Sampling(0.7, 0.8, 20, seed=self._seed + number, temperature_first=True)
                answers[number] = session.generate(max_tokens=MAX_TOKENS, sampling=sampling)
            except BaseException as exc:  # handed to the searcher's thread
                answers[number] = exc

        threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(len(prompts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._count()
        with self._lock:
            reading, self._reading = self._reading, []
        self._sessions.done(reading)
        return [_text(answer) for answer in answers]

    def _count(self) -> None:
        if self._counter is None:
            return
        for counter in (session.counter for session in self._reading):
            for name in ("prompt", "evaluated", "reused", "generated"):
                setattr(self._counter, name, getattr(self._counter, name) + getattr(counter, name))

    def _segments(self, question: str, thoughts: str, query: str, passages: Sequence[Passage]) -> list[Segment]:
        """The call's text: what all queries of a run share comes first."""
        task = (
            f"{GUIDE}\n\nQuestion:\n{neutral(question)}\n\nReasoning so far:\n{neutral(thoughts) or 'none'}\n\n"
            f"Search query:\n{neutral(query)}\n\nPassages:\n{listed(passages)}\n\n"
            f'Now write {_HEADER} on the query "{neutral(query)}".'
        )
        if self._template is not None:
            return templates.conversation(self._template, SYSTEM, [("user", task)])
        return [
            Segment(f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n", True),
            Segment(task),
            Segment(f"<|im_end|>\n<|im_start|>assistant\n<think>\n\n{END_THINK}\n\n", True),
        ]


def _text(answer: Generation | BaseException | None) -> str | None:
    if isinstance(answer, ScriptEnded) or (isinstance(answer, BaseException) and not isinstance(answer, ModelError)):
        raise answer
    return answer.text if isinstance(answer, Generation) and answer.reason in ("eos", "stop") else None


def last_thoughts(written: str) -> str:
    """The steps of a reasoning that a reader is told, as the reference cuts them (`truncate_reasoning_steps`).

    A step is a line. Of more than four lines the first stays, the last three, and those with a marker that opens a
    block; what is left out between them becomes one `...`.
    """
    lines = written.replace("\n\n", "\n").split("\n")
    steps = [*(f"Step {n}: {line[:_MAX_LINE]}" for n, line in enumerate(lines, 1)), ""]
    kept = []
    for n, step in enumerate(steps):
        is_last = len(steps) <= _KEPT_WHOLE or n >= len(steps) - _LAST
        if n == 0 or is_last or BEGIN_QUERIES in step or BEGIN_RESULTS in step:
            kept.append(step)
        elif kept[-1] != "...":
            kept.append("...")
    return "\n\n".join(kept).strip("\n")


def final_information(text: str) -> str:
    """What a reader wrote under its last header; that nothing helps, where it wrote none."""
    text = text.rpartition(END_THINK)[2]
    _, header, body = text.rpartition(_HEADER)
    if not header:
        ends = [match.end() for match in _LIKE_HEADER.finditer(text)]
        body = text[ends[-1] :] if ends else ""
    return body.strip("` \n\t\r") or NOTHING_FOUND


def grounded(text: str, question: str, query: str, passages: Sequence[Passage]) -> Prose:
    """A reader's text as one paragraph: the sentences that a passage says, each with its passages' numbers."""
    if one_line(text) == NOTHING_FOUND:
        return Prose(NOTHING_FOUND, passages)
    every = [(query, passage) for passage in passages]
    alone = [attributed(text, question, [one]) for one in every]
    said, dropped = [], 0
    for n, (unit, support) in enumerate(attributed(text, question, every)):
        numbers = [p.n for p, judged in zip(passages, alone, strict=True) if not judged[n][1].weak]
        numbers = numbers or sorted({quote.n for quote in support.quotes if not support.weak})
        if not numbers:
            dropped += 1
            continue
        sentence = neutral(one_line(MARK.sub("", unit.text)))
        marks = "".join(f"[{n}]" for n in numbers)
        end = _END.search(sentence)
        said.append(f"{sentence[: end.start()].rstrip()} {marks}{end[1]}" if end else f"{sentence} {marks}.")
    return Prose(" ".join(said) or NOTHING_FOUND, passages, dropped)


__all__ = ["ModelReader", "Prose", "Sessions", "final_information", "grounded", "last_thoughts"]
