"""A turn of an instruct model, sorted as it is written: its thought, its searches, its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hds_cli.agent import protocol
from hds_cli.agent.dialects import Hooks


class Stream:
    """Hands out thought and answer as they come; a dialect's own says where its searches begin.

    Args:
        searching: nothing has been searched, so that prose is a thought before a search.
        final: searches are left out, and not done.
        opened: the text begins within a thought.
        tags: what is never shown; a beginning of one at the end of the text is held back.
    """

    def __init__(
        self, hooks: Hooks, *, searching: bool, final: bool = False, opened: bool = False, tags: Sequence[str] = ()
    ) -> None:
        self.text = ""
        self._hooks, self._searching, self._final, self._opened = hooks, searching, final, opened
        self._hidden: tuple[str, ...] = (protocol.THINK, protocol.END_THINK)
        self._tags = (*self._hidden, *tags)
        self._said = 0
        self._sent: set[str] = set()

    def feed(self, text: str) -> None:
        """Take a piece of the turn."""
        self.text += text
        begins = self._begins()
        while begins is not None and self._final and (end := self._ends()) is not None:
            self._prose(begins)
            self._said = end
            begins = self._begins()
        if begins is None:
            self._prose(len(self.text) - self._held())
            return
        self._prose(begins)
        if not self._final:
            self._said = len(self.text)
            self._send(self._queries(ended=False))

    def finish(self) -> None:
        """No more text comes."""
        begins = self._begins(ended=True)
        self._prose(len(self.text) if begins is None else begins)
        if begins is not None and not self._final:
            self._send(self._queries(ended=True))

    @property
    def closed(self) -> bool:
        """True when the searches of the turn are complete, and nothing behind them is wanted."""
        return False

    @property
    def thinking(self) -> bool:
        """True while the text is within a thought."""
        if not self._opened and not self.text.lstrip().startswith(protocol.THINK):
            return False
        return protocol.END_THINK not in self.text

    @property
    def thought_end(self) -> int:
        """The place where the model's thought ends; the end of the text while it goes on, 0 where there is none."""
        if not self._opened and not self.text.lstrip().startswith(protocol.THINK):
            return 0
        closing = self.text.find(protocol.END_THINK)
        return closing if closing >= 0 else len(self.text)

    # --- what a dialect says -------------------------------------------------------------------------------------

    def _begins(self, *, ended: bool = False) -> int | None:
        """The place where the searches begin, behind the thought; None: there are none so far."""
        return None

    def _ends(self) -> int | None:
        """The place behind the searches; None while they go on. Asked once for each of them."""
        return None

    def _queries(self, *, ended: bool) -> Sequence[str]:
        """The searches that are complete."""
        return ()

    def _held(self) -> int:
        """Characters at the end that may begin searches, or a tag."""
        text = self.text
        return max((n for tag in self._tags for n in range(1, len(tag)) if text.endswith(tag[:n])), default=0)

    # --- thought and answer --------------------------------------------------------------------------------------

    def _prose(self, end: int) -> None:
        if end <= self._said:
            return
        cut = max(self._said, min(end, self.thought_end))
        for start, stop, hook in ((self._said, cut, self._hooks.thought), (cut, end, self._outside)):
            text = self.text[start:stop]
            for tag in self._hidden:
                text = text.replace(tag, "")
            if text:
                hook(text)
        self._said = end

    @property
    def _outside(self) -> Callable[[str], None]:
        """The hook for text outside a thought of the model's own."""
        return self._hooks.thought if self._searching else self._hooks.answer

    def _send(self, queries: Sequence[str]) -> None:
        for query in queries:
            if protocol.query_key(query) not in self._sent:
                self._sent.add(protocol.query_key(query))
                self._hooks.query(query)


def parted(text: str, opened: bool = False) -> tuple[str, str]:
    """The thought that a thinking model begins with, and the rest; `opened`: the prompt ends within a thought.

    A thought that was cut off is no answer: then the rest is empty.
    """
    begun = text.lstrip()
    body = begun.removeprefix(protocol.THINK)
    thought, closing, rest = body.partition(protocol.END_THINK)
    if closing and protocol.THINK not in thought:
        more, again, last = rest.rpartition(protocol.END_THINK)
        if again and last.strip():
            thought, rest = f"{thought}{more}", last
        return thought.strip(), rest.replace(protocol.END_THINK, "")
    return (body.strip(), "") if opened or body != begun else ("", text)


__all__ = ["Stream", "parted"]
