"""A long run in a context that fills up: what is shortened, and how much is evaluated again for it.

No model: a session that counts as the real ones do, over words for tokens, and a writer that searches in every turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from hds_cli.agent import protocol
from hds_cli.agent.conversation import Conversation
from hds_cli.agent.dialects import Hooks
from hds_cli.agent.evidence import turn_budget
from hds_cli.agent.hds import HdsDialect
from hds_cli.engine.base import ChatTemplate, Counter, Generation, OnText, Sampling, Segment
from hds_cli.types import Passage

CTX, MAX_TOKENS, THOUGHT = 16_384, 4_096, 150
CHATML = ChatTemplate(
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Words:
    """A session whose tokens are words: a beginning that two texts share is evaluated once."""

    n_ctx = CTX

    def __init__(self, write: Callable[[int], str]) -> None:
        self.words: list[str] = []
        self._write, self._kept, self._turn = write, 0, 0
        self.counter = Counter()
        self.most = 0

    @property
    def used(self) -> int:
        return len(self.words)

    def mark(self) -> int:
        return len(self.words)

    def append(self, segments: Sequence[Segment]) -> int:
        new = " ".join(text for text, _ in segments).split()
        self.words += new
        return len(new)

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        new = " ".join(text for text, _ in segments).split()
        shared = 0
        for old, word in zip(self.words[mark : self._kept], new, strict=False):
            if old != word:
                break
            shared += 1
        self._kept = min(self._kept, mark + shared)
        self.words[mark:] = new
        return len(new)

    def generate(self, *, stop: Sequence[str] = (), on_text: OnText | None = None, **_: object) -> Generation:
        self._turn += 1
        text = self._write(self._turn)
        found = next((s for s in stop if s in text), None)
        text = text.partition(found)[0] if found else text
        if on_text:
            on_text(text)
        written = text.split()
        self.words += written
        self.counter.evaluated += len(self.words) - self._kept
        self._kept = len(self.words)
        self.most = max(self.most, self._kept)
        return Generation(text, "stop" if found else "eos", found, len(written))


def searching(turn: int) -> str:
    thought = " ".join(f"t{turn}.{n}" for n in range(THOUGHT))
    return f"<think>\n{thought}\n</think>\n\n{protocol.BEGIN_QUERIES}\nquery {turn}\n{protocol.END_QUERIES}"


def found(turn: int, tokens: int) -> list[Passage]:
    """Passages of 200 tokens, as many as the budget allows."""
    return [
        Passage(
            f"https://example.org/{turn}/{n}",
            f"Page {turn} {n}",
            " ".join(f"p{turn}.{n}.{w}" for w in range(200)),
            n=1000 * turn + n,
        )
        for n in range(tokens // 220)
    ]


def long_run(turns: int) -> tuple[Words, int]:
    """The session after so many turns, and the tokens of all that was said in full."""
    session = Words(searching)
    dialect = HdsDialect(session, max_tokens=MAX_TOKENS)  # type: ignore[arg-type]
    dialect.start("Which of them is the largest?", [])
    said = session.used
    for turn in range(1, turns + 1):
        dialect.make_room()
        before = session.used
        written = dialect.write(Hooks(lambda _: None, lambda _: None, lambda _: None))
        said += session.used - before
        room = dialect.make_room()
        budget = turn_budget(CTX, room, turns_left=turns - turn + 1)
        before = session.used
        dialect.read([(written.queries[0], found(turn, budget.tokens))])
        said += session.used - before
    dialect.make_room()
    session.generate()
    return session, said


@pytest.mark.parametrize("turns", [5, 10, 20])
def test_a_long_run_evaluates_little_again(turns: int) -> None:
    """At most a tenth more than all that was said in it, and the context never holds more than it may."""
    session, said = long_run(turns)
    assert session.counter.evaluated <= 1.1 * said
    assert session.most <= CTX - MAX_TOKENS


def test_the_results_read_last_stay_as_they_are() -> None:
    """Older ones are named by their titles."""
    session, _ = long_run(9)
    text = " ".join(session.words)
    assert "p9.0.199" in text
    assert "p1.0.199" not in text
    assert "Page 1 0" in text


def test_a_conversation_shrinks_at_once() -> None:
    """Of messages that have a short form the last one stays, and the model can still write."""
    session = Words(lambda _: "answer")
    talk = Conversation(
        session, CHATML, "You search.", max_tokens=MAX_TOKENS, sampling=Sampling(), cut=lambda text: [Segment(text)]
    )  # type: ignore[arg-type]
    talk.say("user", "Which of them is the largest?")
    for number in range(5):
        talk.say("assistant", f"I search {number}.")
        talk.say("user", f"r{number} " * 2_200, f"short {number}")
    assert talk.make_room() >= CTX // 8
    assert [message.text.split()[0] for message in talk.messages[2::2]] == ["short"] * 3 + ["r3", "r4"]
