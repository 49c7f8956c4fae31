"""One small question to a model, beside its main work. A grammar holds the answer; after one retry a rule answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from hds_cli.agent import templates
from hds_cli.agent.protocol import END_THINK, neutral
from hds_cli.engine.base import ChatTemplate, Counter, Generation, Sampling, Segment, Session
from hds_cli.errors import ModelError, NoGrammar, ScriptEnded

TOKEN = 4  # characters of one, about: for what is asked before anything is counted
_COUNTS = ("prompt", "evaluated", "reused", "generated")
_WHOLE = ("eos", "stop")  # the model ended by itself, so its answer has all that the grammar asks for


class Aside:
    """Asks single tasks. Each starts from an empty sequence; a beginning that two tasks share is evaluated once.

    Args:
        session: a session of its own (`Session.fork` or `Engine.session`), closed together with this.
        template: the model's chat template; None (the scripted engine): the model is given the plain text.
        temperature: of the first try.

    Raises:
        ModelUnusable: the template does not render.
    """

    def __init__(
        self, session: Session, template: ChatTemplate | None, *, temperature: float = 0.0, seed: int = 0
    ) -> None:
        self._session, self._template = session, template
        self._sampling = Sampling(temperature, 0.95, 40, seed=seed)
        self._segments("", "")

    def ask(
        self,
        system: str,
        task: str,
        grammar: str,
        max_tokens: int = 300,
        fallback: str = "",
        *,
        free: bool = False,
        wrong: Callable[[str], str | None] = lambda text: None,
    ) -> str:
        """The model's answer to a task; `fallback` when the model fails, or twice does not answer as it should.

        Args:
            system: instructions of ours.
            task: the task; text from outside in it forms no special token.
            grammar: GBNF that the answer follows.
            max_tokens: of each try.
            free: where nothing can hold the model to the grammar, it writes without; the caller reads what it likes.
            wrong: the complaint about an answer that ended by itself, which the model is told once; None: it is right.
        """
        again = replace(self._sampling, temperature=max(0.7, self._sampling.temperature), seed=self._sampling.seed + 1)
        for sampling in (self._sampling, again):
            try:
                self._session.rewrite(0, self._segments(system, neutral(task)))
                generation = self._generate(max_tokens, sampling, grammar, free)
            except ScriptEnded:  # the model is not at fault: the user's script is too short
                raise
            except ModelError:
                return fallback
            if generation.reason in _WHOLE:
                if (complaint := wrong(generation.text)) is None:
                    return generation.text
                task = f"{task}\n\nYour last answer cannot be used: {complaint}."
            if generation.reason == "aborted":
                return fallback
        return fallback

    def _generate(self, max_tokens: int, sampling: Sampling, grammar: str, free: bool) -> Generation:
        try:
            return self._session.generate(max_tokens=max_tokens, sampling=sampling, grammar=grammar)
        except NoGrammar:
            if not free:
                raise
        written = self._session.generate(max_tokens=max_tokens, sampling=sampling)
        return replace(written, text=written.text.rpartition(END_THINK)[2])

    def _segments(self, system: str, task: str) -> list[Segment]:
        if self._template is None:
            return [Segment(f"{system}\n\n{task}\n")]
        return templates.conversation(self._template, system, [("user", task)], held=True)

    def close(self) -> None:
        self._session.close()


def move(tokens: Counter, total: Counter) -> None:
    """Take the tokens of one count to another; the time stays, as it is a session's own."""
    for name in _COUNTS:
        setattr(total, name, getattr(total, name) + getattr(tokens, name))
        setattr(tokens, name, 0)


@contextlib.contextmanager
def counted(session: Session, total: Counter | None) -> Iterator[None]:
    """A context whose tokens of `session` are added to `total` at its end."""
    before = {name: getattr(session.counter, name) for name in _COUNTS}
    try:
        yield
    finally:
        if total is not None:
            move(Counter(**{name: getattr(session.counter, name) - old for name, old in before.items()}), total)
