"""A growing conversation in a model's own chat template: what is said, what shrinks when room is short, how one writes.

Both dialects that hold one, `chat` and `tools`, write through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hds_cli.agent import protocol, templates
from hds_cli.agent.listing import counted, listed, more_of, visit_of
from hds_cli.agent.places import Thought
from hds_cli.agent.streams import Stream
from hds_cli.engine.base import ChatTemplate, Generation, Sampling, Segment, Session
from hds_cli.types import Passage

BRIEF, _LEAST = 512, 64  # tokens of a brief thought (as templates are told), and of a turn
_SEED_STEP = 1000
_CLOSE_THOUGHT = f"\n{protocol.END_THINK}\n\n"


@dataclass
class Message:
    """A message of the conversation, and the shorter one that may take its place."""

    role: str
    text: str
    short: str = ""


class Conversation:
    """The messages of a run, and the session that holds them as the template writes them.

    Args:
        max_tokens: of one turn.
        today: the day that the template's clock shows, YYYY-MM-DD.
        thinking: off, brief (`brief` tokens) or full (half of a turn): how long a thought may be.
        cut: makes the segments of a message's text.

    Raises:
        ModelUnusable: the model has no chat template, or one that does not render.
    """

    def __init__(
        self,
        session: Session,
        template: ChatTemplate | None,
        system: str,
        *,
        max_tokens: int,
        sampling: Sampling,
        today: str | None = None,
        thinking: str = "off",
        brief: int = BRIEF,
        cut: Callable[[str], list[Segment]],
    ) -> None:
        self._session, self._template, self._system, self._cut = session, templates.needed(template), system, cut
        self._today, self._thinking, self._sampling = today, thinking, sampling
        self.max_tokens = max(_LEAST, min(max_tokens, session.n_ctx // 4))
        self._most_thought = min(self.max_tokens // 2, brief if thinking == "brief" else self.max_tokens)
        self.messages: list[Message] = []
        self.calls = 0
        self.thought: Thought | None = None
        """How the thought ends that the prompt ends in; None: it ends where an answer begins."""
        self._put([Message("user", "?")])  # `make_room` is asked before a run starts

    def say(self, role: str, text: str, short: str = "") -> None:
        """Add a message; one of the same role is gone on with, as templates want the roles in turn."""
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == role:
            short = f"{last.short or last.text}\n\n{short or text}" if last.short or short else ""
            self.messages[-1] = Message(role, f"{last.text}\n\n{text}", short)
        else:
            self.messages.append(Message(role, text, short))
        if role == "user":
            self._put(self.messages)

    def unsay(self, text: str) -> None:
        """Take a part of the last message back, where it is a user's that ends with it or nearly so."""
        last = self.messages[-1] if self.messages else None
        if last is None or last.role != "user" or not text:
            return
        for name in ("text", "short"):
            before, there, after = getattr(last, name).rpartition(text)
            if there:
                setattr(last, name, f"{before.rstrip()}{after}")

    def make_room(self) -> int:
        """The tokens left beside an answer. Below an eighth of the context, old messages shrink to their short form.

        All do but the last that has one: what follows the first of them is evaluated again, so it is done rarely.
        """
        session = self._session
        while (left := session.n_ctx - session.used - self.max_tokens) < session.n_ctx // 8:
            long = [message for message in self.messages[:-1] if message.short]
            if not long:
                break
            for message in long[:-1] or long:
                message.text, message.short = message.short, ""
            self._put(self.messages)
        return max(0, left)

    def prompt(self) -> None:
        """Put the conversation into the session, up to where the model writes."""
        self._put(self.messages)

    def write(self, stream: Stream, stop: str) -> Generation:
        """The model's text until its searches are complete (`stop` stands behind them) or its end.

        A thought that the prompt opens ends with `</think>` in the text, however the model ends it, or when it is too
        long. One that the model begins by itself and does not end in time is ended, too.
        """
        sampling = replace(self._sampling, seed=self._sampling.seed + _SEED_STEP * self.calls)
        self.calls += 1
        text, tokens, most, ended = "", 0, self.max_tokens, False
        if self.thought is not None:
            generation = self._session.generate(
                max_tokens=self._most_thought, stop=[self.thought.closing], on_text=stream.feed, sampling=sampling
            )
            if generation.reason in ("aborted", "context"):
                stream.finish()
                return generation
            text, tokens = generation.text + self._end_thought(stream, self.thought.bridge), max(1, generation.tokens)
            ended = True
        while True:
            generation = self._session.generate(
                max_tokens=max(1, most - tokens), stop=[stop], on_text=stream.feed,
                sampling=replace(sampling, seed=sampling.seed + tokens),
            )  # fmt: skip
            text, tokens = text + generation.text, tokens + max(1, generation.tokens)
            if generation.reason == "stop":
                text += stop
                stream.feed(stop)
                if tokens >= most or stream.closed:
                    break
                self._session.append([Segment(stop)])
            elif generation.reason == "length" and stream.thinking and not ended:
                text += self._end_thought(stream, _CLOSE_THOUGHT)
                most, ended = tokens + self.max_tokens // 4, True
            else:
                break
        stream.finish()
        return replace(generation, text=text, tokens=tokens)

    def _end_thought(self, stream: Stream, bridge: str) -> str:
        """Lead the model to its answer; the end of its thought as the text has it."""
        self._session.append([Segment(bridge, True)])
        stream.feed(protocol.END_THINK)
        return protocol.END_THINK

    def _put(self, messages: Sequence[Message]) -> None:
        turns = [(message.role, message.text) for message in messages]
        segments, self.thought = templates.prompt(
            self._template, self._system, turns, today=self._today, thinking=self._thinking
        )
        self._session.rewrite(0, [part for s in segments for part in ([s] if s.trusted else self._cut(s.text))])


def line(text: str) -> str:
    """A stranger's text as a part of a line."""
    return protocol.neutral(protocol.one_line(text))


class Results:
    """Writes results as text; a passage that was given before is named, not repeated."""

    def __init__(self, *, addresses: bool = False) -> None:
        self._shown: set[int] = set()
        self._addresses = addresses

    def block(self, query: str, passages: Sequence[Passage] | str) -> tuple[str, str]:
        """The passages below a line that names their query; and the same without their text.

        Args:
            passages: or the notice that stands in their place.
        """
        name = _name(query)
        if isinstance(passages, str) or not passages:
            why = passages if isinstance(passages, str) else getattr(passages, "why", "") or protocol.NOTHING_FOUND
            return (said := f"{name}: {line(why)}"), said
        fresh = [passage for passage in passages if passage.n not in self._shown]
        known = ", ".join(f"[{passage.n}]" for passage in passages if passage.n in self._shown)
        self._shown |= {passage.n for passage in passages}
        lost = f"; {line(why)}" if (why := getattr(passages, "why", "")) else ""
        head = f"{name} ({counted(passages)}{lost}):"
        given = listed(fresh, addresses=self._addresses)
        text = "\n\n".join(filter(None, [head, given, known and f"{known} (see above)"]))
        return text, head + " " + "; ".join(f"[{p.n}] {line(p.title)}" for p in passages) + " (text dropped)"


def _name(query: str) -> str:
    if visit := visit_of(query):
        goal = f' for "{line(visit.goal)}"' if visit.goal else ""
        return f"Passages of {line(visit.url)}{goal}"
    return f'Results for "{line(query) if (n := more_of(query)) is None else f"more: [{n}]"}"'


def turns_left(turns: int) -> list[str]:
    """A line on how many turns may still search; none where nobody counts."""
    if turns <= 0:
        return []
    return [f"({'1 turn is' if turns == 1 else f'{turns} turns are'} left for searching.)"]
