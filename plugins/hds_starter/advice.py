"""What the starter says where it has no answer: one line, with the next thing to type."""

from __future__ import annotations

import re

from hds_cli.agent.notebook import Notebook
from hds_cli.agent.protocol import one_line
from hds_cli.text.language import language_of
from hds_starter.forms import Asked, Unread

_CAN = (
    "capital, population, area, currency, languages, neighbours, calling code, internet domain or region of countries, "
    "their order, sums and differences"
)

_LIST = 300  # characters of a list


def line(reading: Asked | Unread, book: Notebook) -> str:
    """Why there is no answer, and what to type instead.

    `did you mean Niger?`, `the starter reads English alone`; the model that this machine has room for.
    """
    if isinstance(reading, Unread) and reading.hint:
        return reading.hint
    question = book.question
    if isinstance(reading, Unread) and len(reading.unknown) > 1 and language_of(question) not in (None, "en"):
        return f"the starter reads English alone; {_able()}"
    if isinstance(reading, Unread) and re.match(
        r"\W*(?:why|how)\b(?! (?:many|much|large|big|populous))", question, re.I
    ):
        return f"the starter does not explain, it looks up facts ({_CAN}); {_able()}"
    if isinstance(reading, Unread) and reading.unknown:
        words = ", ".join(reading.unknown[:4])
        return f"the pages of countries say nothing on: {words}. The starter looks up {_CAN}; {_able()}"
    if isinstance(reading, Asked):
        return f"{book.nothing_on() or 'the pages do not say it'}; ask for fewer countries or one fact, or {_able()}"
    return f"the starter looks up {_CAN}; {_able()}"


def misread(around: str) -> str:
    """Why a list of neighbours is no answer, with those that the page has."""
    return f"the starter misread who the neighbours are; the page has {one_line(around)[:_LIST]}; {_able()}"


def _able() -> str:
    """The command that gets a model which can do more: the largest that fits into this machine's memory."""
    from hds_cli.engine.files.fitting import candidates

    name = next((candidate.name for candidate in candidates() if candidate.fits), "")
    return f"for more: hds model pull {name}" if name else "for more: hds model suggest"
