"""A growing conversation in a model's own chat template: what is said, what shrinks when room is short, how one writes.

Both dialects that hold one, `chat` and `tools`, write through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hds_cli.agent import protocol, templates
from hds_cli.agent.dialects import QueryResult
from hds_cli.agent.listing import counted, listed
from hds_cli.agent.streams import Stream
from hds_cli.engine.base import ChatTemplate, Generation, Sampling, Segment, Session
from hds_cli.types import Passage

Thinking = Literal["off", "brief", "full"]
_BRIEF = 384  # tokens of a thought; not tuned
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
        thinking: how long a thought may be: `off` not at all, `brief`, `full` half of a turn; None: as long as a turn.
        cut: makes the segments of a message's text; None: all of it is untrusted.

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
        thinking: Thinking | None = None,
        cut: Callable[[str], list[Segment]] | None = None,
    ) -> None:
        self._session, self._template, self._system, self._cut = session, templates.needed(template), system, cut
        self.max_tokens = max(64, min(max_tokens, session.n_ctx // 4))
        half = self.max_tokens // 2
        self._thought = {"brief": min(_BRIEF, half), "full": half}.get(thinking or "", 0)
        self._sampling, self._thinking = sampling, thinking
        self.messages: list[Message] = []
        self.calls = 0
        self.opened = False
        """True when the template ends the prompt within a thought."""
        session.rewrite(0, self._rendered([Message("user", "?")]))  # `make_room` is asked before a run starts

    def say(self, role: str, text: str, short: str = "") -> None:
        """Add a message; one of the same role is gone on with, as templates want the roles in turn."""
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == role:
            short = f"{last.short or last.text}\n\n{short or text}" if last.short or short else ""
            self.messages[-1] = Message(role, f"{last.text}\n\n{text}", short)
        else:
            self.messages.append(Message(role, text, short))
        if role == "user":
            self._session.rewrite(0, self._rendered(self.messages))

    def make_room(self) -> int:
        """The tokens left beside an answer. Below an eighth of the context, old messages shrink to their short form."""
        session = self._session
        while (left := session.n_ctx - session.used - self.max_tokens) < session.n_ctx // 8:
            long = next((message for message in self.messages[:-1] if message.short), None)
            if long is None:
                break
            long.text, long.short = long.short, ""
            session.rewrite(0, self._rendered(self.messages))
        return max(0, left)

    def prompt(self) -> None:
        """Put the conversation into the session, up to where the model writes."""
        prompt = self._rendered(self.messages)
        self._session.rewrite(0, prompt)
        self.opened = prompt[-1].text.rstrip().endswith(protocol.THINK)

    def write(self, stream: Stream, stop: str) -> Generation:
        """The model's text until its searches are complete (`stop` stands behind them) or its end.

        A thought that is too long is ended, so that an answer follows it.
        """
        text, tokens, most, may_think = "", 0, self.max_tokens, True
        sampling = replace(self._sampling, seed=self._sampling.seed + _SEED_STEP * self.calls)
        self.calls += 1
        if self.opened and self._thinking == "off":
            text, may_think = self._append(stream, _CLOSE_THOUGHT.lstrip()), False
        while True:
            bound = min(most, self._thought or most) if may_think else most
            generation = self._session.generate(
                max_tokens=max(1, bound - tokens), stop=[stop], on_text=stream.feed,
                sampling=replace(sampling, seed=sampling.seed + tokens),
            )  # fmt: skip
            text, tokens = text + generation.text, tokens + max(1, generation.tokens)
            if generation.reason == "stop":
                text += stop
                stream.feed(stop)
                if tokens >= most or stream.closed:
                    break
                self._session.append([Segment(stop)])
            elif generation.reason == "length" and may_think and stream.thinking:
                text, may_think = text + self._append(stream, _CLOSE_THOUGHT), False
                most = max(most, tokens + self.max_tokens // 4)
            elif generation.reason != "length" or bound == most:
                break
            may_think = may_think and stream.thinking
        stream.finish()
        return replace(generation, text=text, tokens=tokens)

    def _append(self, stream: Stream, text: str) -> str:
        self._session.append([Segment(text, True)])
        stream.feed(text)
        return text

    def _rendered(self, messages: Sequence[Message]) -> list[Segment]:
        turns = [(message.role, message.text) for message in messages]
        segments = templates.conversation(self._template, self._system, turns)
        if self._cut is None:
            return segments
        return [part for s in segments for part in ([s] if s.trusted else self._cut(s.text))]


def line(text: str) -> str:
    """A stranger's text as a part of a line."""
    return protocol.neutral(protocol.one_line(text))


class Results:
    """Writes results as text; a passage that was given before is named, not repeated."""

    def __init__(self, *, addresses: bool = False) -> None:
        self._shown: set[int] = set()
        self._addresses = addresses

    def block(self, name: str, passages: Sequence[Passage] | str) -> tuple[str, str]:
        """The passages below a line that begins with `name`; and the same without their text.

        Args:
            name: such as `Results for "tides"`.
            passages: or the notice that stands in their place.
        """
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


def turns_left(turns: int) -> list[str]:
    """A line on how many turns may still search; none where nobody counts."""
    if turns <= 0:
        return []
    return [f"({'1 turn is' if turns == 1 else f'{turns} turns are'} left for searching.)"]


__all__ = ["Conversation", "Message", "QueryResult", "Results", "Thinking", "line", "turns_left"]
