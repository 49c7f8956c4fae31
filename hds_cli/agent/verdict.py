"""From what the model wrote and what it read to the end of a run: a pure function, with a policy.

`refuse` shows no answer that no page supports (`citations.py` finds who supports what); `mark` shows what the model
wrote and grades every unit of it (`support/`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from hds_cli.agent import citations
from hds_cli.agent.dialects import Written, strip_numbers
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.support.attribution import attributed
from hds_cli.agent.support.claims import is_yes_or_no
from hds_cli.agent.support.lists import lacking, led_to
from hds_cli.agent.support.message import Message, in_order, message, renumbered
from hds_cli.agent.support.placing import clip
from hds_cli.agent.support.sentences import sentences
from hds_cli.agent.support.values import values
from hds_cli.text import has_words, quote_words
from hds_cli.types import Citation, Passage, Quote, RunStatus, Support

_WHO = frozenset("who whom whose wer wem wen wessen qui quién quien quem chi кто кого хто ποιος ποια من".split())


@dataclass(frozen=True)
class Warned:
    """Something about an answer that its reader should know."""

    code: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """The end of a run: what is shown, with which sources, and why it is no answer where it is none.

    `text` is the whole message, `support` the ground of its units, `raw_answer` the answer as the model wrote it.
    """

    status: RunStatus
    exit_code: int
    reason: str | None = None
    answer: str | None = None
    explanation: str | None = None
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    text: str | None = None
    support: tuple[Support, ...] = ()
    raw_answer: str | None = None

    def ending(self) -> dict[str, Any]:
        """The fields that a `RunFinished` has of it."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "warnings"}


Policy = Callable[[Written, Notebook, str | None], Verdict]


def policy(name: str | None) -> Policy:
    """The policy called `name`; None: `mark`."""
    return refuse if name == "refuse" else mark


def refuse(written: Written, book: Notebook, stopped: str | None = None) -> Verdict:
    """The verdict of the policy `refuse`: an answer that no page supports is no answer.

    Args:
        stopped: why the run was stopped early (`timeout`, `interrupted`), if it was.
    """
    without_answer = _without_answer(stopped)
    if not book.read and not stopped:
        return Verdict(*without_answer, "no_evidence", explanation=book.nothing_on())
    if written.answer is None or written.gave_up:
        return Verdict(*without_answer, stopped or "not_found")
    explanation, unknown = strip_numbers(written.explanation, book.numbers)
    grounds = citations.support(written.answer, explanation, book.question, book.read, book.page)
    warnings = list(_removed(unknown))
    if grounds.supported and (holes := _without_ground(written.answer, explanation, book)):
        left = tuple(item for item in dict.fromkeys((*grounds.unsupported, *holes)))
        items = citations.answer_items(written.answer, [passage for _, passage in book.read])
        grounds = replace(grounds, unsupported=left, supported=not set(items) <= set(left))
    if grounds.unsupported and grounds.supported:
        warnings.append(Warned("unsupported", f"no page says: {', '.join(grounds.unsupported)}"))
    if not grounds.supported:
        reason = stopped or "unsupported"
        return Verdict(*without_answer, reason, explanation=written.explanation or None, warnings=tuple(warnings))
    status, exit_code = without_answer if stopped else ("answered", 0)
    return Verdict(
        status, exit_code, stopped, written.answer, explanation or None, grounds.citations, grounds.unsupported,
        tuple(warnings), raw_answer=written.answer,
    )  # fmt: skip


def mark(written: Written, book: Notebook, stopped: str | None = None) -> Verdict:
    """The verdict of the policy `mark`: what the model wrote is shown, and each unit of it graded.

    It is no answer only where nothing was read, where the model says that it has none, or where no unit has a ground.

    Args:
        stopped: why the run was stopped early (`timeout`, `interrupted`), if it was.
    """
    without_answer = _without_answer(stopped)
    if not book.read and not stopped:
        return Verdict(*without_answer, "no_evidence", explanation=book.nothing_on())
    if written.answer is None:
        return Verdict(*without_answer, stopped or "not_found")
    made = _message(written)
    graded = _attributed(made.text, book)
    numbers = in_order(n for s in graded for n in (*s.marks, *(quote.n for quote in s.quotes)))
    text, removed = renumbered(made.text, numbers)
    verdict = Verdict(
        *(without_answer if stopped else ("answered", 0)), stopped,
        answer=renumbered(made.headline, {})[0] if made.headline else text,
        citations=_citations(graded, numbers, book), support=tuple(_numbered(s, numbers) for s in graded), text=text,
        unsupported=tuple(s.text for s in graded if s.weak), raw_answer=written.answer,
        warnings=(*_removed(removed), *_weak(graded), *_incomplete(made.text, book)),
    )  # fmt: skip
    if written.gave_up or not _has_ground(graded):
        reason = stopped or ("not_found" if written.gave_up else "unsupported")
        status, exit_code = without_answer
        return replace(verdict, status=status, exit_code=exit_code, reason=reason, answer=None)
    return verdict


def _without_ground(answer: str, explanation: str, book: Notebook) -> list[str]:
    """The items of a short answer that words alone would let pass: said of another subject, by no name, or twice.

    `The capital of Switzerland is Warsaw [2]`: no sentence has both. `Who …?` is answered by a name. `Norway: Oslo;
    Sweden: Oslo`: one of two equal values is of neither.
    """
    items = citations.answer_items(answer, [passage for _, passage in book.read])
    if _asks_who(book.question) and not any(word[:1].isupper() for word in answer.split()) and answer.islower():
        return items
    claimed = [s for s in _attributed(explanation, book) if s.marks]
    holes = []
    for item in items:
        value = item.rpartition(": ")[2]
        naming = [s for s in claimed if has_words(quote_words(s.text), value)]
        if naming and all(s.weak and _is_of_another(s, value) for s in naming):
            holes.append(item)
    values_of = Counter(quote_words(item.rpartition(": ")[2]) for item in items if ": " in item)
    twice = [item for item in items if values_of[quote_words(item.rpartition(": ")[2])] > 1]
    return holes + [s.text for s in _attributed("\n\n".join(twice), book) if s.weak]


def _is_of_another(support: Support, value: str) -> bool:
    """True for a claim that says more than a value: it is a value of something."""
    return len(quote_words(support.text).split()) > len(quote_words(value).split()) + 2


def _asks_who(question: str) -> bool:
    return bool(set(quote_words(question).split()[:3]) & _WHO)


def _attributed(text: str, book: Notebook) -> list[Support]:
    def rest(url: str) -> str:
        return "" if book.late() else _text(book, url)

    return [s for _, s in attributed(text, book.question, book.read, rest)]


def _without_answer(stopped: str | None) -> tuple[RunStatus, int]:
    return ("partial", 6) if stopped else ("unanswered", 3)


def _message(written: Written) -> Message:
    if written.message:
        return message(written.message)
    text = "\n\n".join(part for part in (written.explanation, written.answer) if part)
    return Message(message(text).text, written.answer, written.answer)


def _has_ground(graded: Sequence[Support]) -> bool:
    """True where a unit has a ground, or nothing but a yes, no or result stands there, which no page can say."""
    if any(not s.weak or s.level == "apart" for s in graded):
        return True
    weak = [s for s in graded if s.level == "unsourced" and (is_yes_or_no(s.text) or values(s.text))]
    return bool(weak) and not any(s.level in ("missing", "contradicted") for s in graded)


def _text(book: Notebook, url: str) -> str:
    page = book.page(url)
    return page.text if page else ""


def _citations(graded: Sequence[Support], numbers: dict[int, int], book: Notebook) -> tuple[Citation, ...]:
    """One source for each passage that a unit names or rests on, with the first quote from it."""
    passages = {passage.n: passage for _, passage in book.read}
    quotes: dict[int, str] = {}
    for quote in (quote for support in graded for quote in support.quotes):
        quotes.setdefault(quote.n, quote.quote)
    named = [_citation(passages[n], number, quotes.get(n), book) for n, number in numbers.items()]
    leading = led_to(book.read, set(numbers), book.question)
    return (
        *named,
        *(replace(_citation(p, n, None, book), led_to=True) for n, p in enumerate(leading, len(named) + 1)),
    )


def _citation(passage: Passage, number: int, quote: str | None, book: Notebook) -> Citation:
    said = quote or clip(next(iter(sentences(passage.text)), passage.text), 0)
    verified = has_words(quote_words(citations.where_it_stands(passage, _text(book, passage.url))), said)
    return Citation(number, passage.url, passage.title, said, verified, passage.fetched_at, passage.n)


def _numbered(support: Support, numbers: dict[int, int]) -> Support:
    quotes = tuple(Quote(numbers[quote.n], quote.quote) for quote in support.quotes)
    return replace(support, marks=tuple(numbers[n] for n in support.marks), quotes=quotes)


def _removed(numbers: Sequence[int]) -> tuple[Warned, ...]:
    if not numbers:
        return ()
    said = ", ".join(f"[{n}]" for n in sorted(set(numbers)))
    return (Warned("citation_removed", f"the model cited {said}, which no page of this run has"),)


def _incomplete(text: str, book: Notebook) -> tuple[Warned, ...]:
    """A warning for a list that lacks what was asked for."""
    lack = lacking(text, book.question, book.queries)
    if lack is None:
        return ()
    count, missing = lack
    return (Warned("incomplete", f"{count - len(missing)} of {count} found; missing: {', '.join(missing)}"),)


def _weak(graded: Sequence[Support]) -> tuple[Warned, ...]:
    missing = list(dict.fromkeys(said for s in graded for said in s.missing))
    if missing:
        return (Warned("unsupported", f"no page says: {', '.join(missing)}"),)
    weak = sum(s.weak for s in graded)
    return (Warned("unsupported", f"{weak} of {len(graded)} parts of the answer have no clear ground"),) if weak else ()
