"""One small question to a model, beside what it is doing: the answer held to a grammar, one retry, then a rule's."""

from __future__ import annotations

from dataclasses import replace

from hds_cli.agent import templates
from hds_cli.agent.protocol import neutral
from hds_cli.engine.base import ChatTemplate, Sampling, Segment, Session
from hds_cli.errors import ModelError, ScriptEnded

_WHOLE = ("eos", "stop")  # the model ended by itself, so its answer has all that the grammar asks for


class Aside:
    """Asks single tasks, each of which starts from nothing; what two have in common at their start is evaluated once.

    Args:
        session: of its own, as `Session.fork` or `Engine.session` make one; it is closed with this.
        template: without one (the scripted engine) the model is given the plain text.
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

    def ask(self, system: str, task: str, grammar: str, max_tokens: int = 300, fallback: str = "") -> str:
        """What the model writes to a task; `fallback` when twice it does not end by itself, or it fails.

        Args:
            system: instructions of ours.
            task: may hold text from outside, which forms no token with power.
            grammar: GBNF that the answer follows.
            max_tokens: of each try.
        """
        again = replace(self._sampling, temperature=max(0.7, self._sampling.temperature), seed=self._sampling.seed + 1)
        for sampling in (self._sampling, again):
            try:
                self._session.rewrite(0, self._segments(system, neutral(task)))
                made = self._session.generate(max_tokens=max_tokens, sampling=sampling, grammar=grammar)
            except ScriptEnded:  # no fault of a model: the user's file is too short
                raise
            except ModelError:
                return fallback
            if made.reason in _WHOLE:
                return made.text
            if made.reason == "aborted":
                return fallback
        return fallback

    def _segments(self, system: str, task: str) -> list[Segment]:
        if self._template is None:
            return [Segment(f"{system}\n\n{task}\n")]
        return templates.conversation(self._template, system, [("user", task)])

    def close(self) -> None:
        self._session.close()
