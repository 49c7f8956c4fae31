"""Asks a model one small thing at a time, the answer held to a grammar: for the judge, and to write questions with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hds_cli.agent import templates
from hds_cli.agent.protocol import neutral
from hds_cli.engine.base import Engine, Sampling, Segment

_SLOT = re.compile("(\ue000[01]\ue001)")


class Writer:
    """A model that answers single tasks; each starts from nothing.

    Args:
        engine: without a chat template (the scripted one) it is given the plain text.
    """

    def __init__(self, engine: Engine, *, temperature: float = 0.0, seed: int = 0) -> None:
        self._engine, self._template = engine, engine.chat_template()
        self._session = engine.session()
        self._sampling = Sampling(temperature, 0.95, 40, seed=seed)

    def ask(self, system: str, task: str, grammar: str, max_tokens: int = 300) -> str:
        """What the model writes to a task; `task` may hold text from outside, which forms no token with power.

        Args:
            grammar: GBNF that the answer follows.
        """
        self._session.rewrite(0, self._segments(system, neutral(task)))
        return self._session.generate(max_tokens=max_tokens, sampling=self._sampling, grammar=grammar).text

    def _segments(self, system: str, task: str) -> Sequence[Segment]:
        if self._template is None:
            return [Segment(f"{system}\n\n{task}\n")]
        messages = [{"role": "system", "content": "\ue0000\ue001"}, {"role": "user", "content": "\ue0001\ue001"}]
        text = templates.render(self._template, messages)
        parts = {"\ue0000\ue001": system, "\ue0001\ue001": task}
        if "\ue0000\ue001" not in text:  # a template that refuses a system turn
            parts["\ue0001\ue001"] = f"{system}\n\n{task}"
        pieces = [Segment(parts[p]) if p in parts else Segment(p, True) for p in _SLOT.split(text)]
        return [piece for piece in pieces if piece.text]

    def close(self) -> None:
        self._session.close()
