"""From what the model wrote and what it read to the end of a run: a pure function, with a policy.

`mark` shows what the model wrote and grades every unit of it (`support/`); `refuse` shows no answer that no page
supports. A plugin may bring another policy for a model of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from hds_cli.agent.dialects import Written
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.support.absence import says_absent
from hds_cli.agent.support.attribution import attributed
from hds_cli.agent.support.claims import is_yes_or_no
from hds_cli.agent.support.lists import lacking, led_to
from hds_cli.agent.support.marking import corrected
from hds_cli.agent.support.message import Message, Unit, in_order, message, renumbered, units
from hds_cli.agent.support.placing import clip
from hds_cli.agent.support.values import values
from hds_cli.plugins import load
from hds_cli.text import has_words, quote_words, statements, terms
from hds_cli.text.cutting import surroundings
from hds_cli.text.sentences import sentences
from hds_cli.types import Citation, Passage, Quote, RunStatus, Support

BUILTIN = "mark"
_COMPARED, _MOST_STATEMENTS = 20_000, 400  # characters of a passage, and its statements, that a named source is seen by
GROUP = "hds.verdicts.v1"


@dataclass(frozen=True)
class Warned:
    """Something about an answer that its reader should know."""

    code: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """The end of a run: what is shown, with which sources, and why it is no answer where it is none.

    `text` is the whole message, `support` the ground of its units, `raw_answer` the answer as the model wrote it.
    `withheld`: an answer that is not shown, only because no unit has a ground.
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
    withheld: str | None = None

    def ending(self) -> dict[str, Any]:
        """The fields that a `RunFinished` has of it."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("warnings", "withheld")}


Policy = Callable[[Written, Notebook, str | None], Verdict]


def policy(name: str | None) -> Policy:
    """The policy called `name`, of hds or of a plugin; None: `mark`.

    Raises:
        PluginError: there is none, or it does not load.
    """
    if name in (None, BUILTIN):
        return mark
    chosen: Policy = load(GROUP, str(name))
    return chosen


def refuse(written: Written, book: Notebook, stopped: str | None = None) -> Verdict:
    """The verdict of the policy `refuse`: an answer that no page supports is no answer.

    Args:
        stopped: why the run was stopped early (`timeout`, `interrupted`), if it was.
    """
    verdict = replace(mark(written, book, stopped), withheld=None)
    if verdict.answer is None or _is_supported(verdict.answer, verdict.support, book):
        return verdict
    status, exit_code = unanswered(stopped)
    reason = stopped or "unsupported"
    return replace(verdict, status=status, exit_code=exit_code, reason=reason, answer=None, withheld=None)


def _is_supported(answer: str, graded: Sequence[Support], book: Notebook) -> bool:
    """True where a unit with a ground holds the answer, or a part of the answer has a ground by itself."""
    if any(has_words(quote_words(s.text), answer) for s in graded if not s.weak):
        return True
    return any(not s.weak for s in attributed_to(answer, book))


def mark(written: Written, book: Notebook, stopped: str | None = None) -> Verdict:
    """The verdict of the policy `mark`: what the model wrote is shown, and each unit of it graded.

    It is no answer only where nothing was read, where the model says that it has none, or where no unit has a ground.

    Args:
        stopped: why the run was stopped early (`timeout`, `interrupted`), if it was.
    """
    without_answer = unanswered(stopped)
    if not book.read and not stopped:
        return Verdict(*without_answer, "no_evidence", explanation=book.nothing_on(), raw_answer=written.answer)
    if written.answer is None:
        return Verdict(*without_answer, stopped or "not_found")
    message_parts = _message(written)
    right, graded, changed = corrected(message_parts.text, _units_of(message_parts.text, book))
    numbers = in_order(n for s in graded for n in (*s.marks, *(quote.n for quote in s.quotes)))
    text, unknown = renumbered(right, numbers)
    verdict = Verdict(
        *(without_answer if stopped else ("answered", 0)), stopped,
        answer=renumbered(message_parts.headline, {})[0] if message_parts.headline else text,
        citations=_citations(graded, numbers, book), support=tuple(_numbered(s, numbers) for s in graded), text=text,
        unsupported=tuple(s.text for s in graded if s.weak), raw_answer=written.answer,
        warnings=(
            *removed(unknown), *_put_right(changed, book), *_weak(graded), *_incomplete(message_parts.text, book),
        ),
    )  # fmt: skip
    if written.gave_up or not _has_ground(graded):
        absent = not graded and any(says_absent(unit.text, book.question) for unit in units(message_parts.text))
        reason = stopped or ("not_found" if written.gave_up or absent else "unsupported")
        status, exit_code = without_answer
        withheld = verdict.answer if reason == "unsupported" else None
        return replace(verdict, status=status, exit_code=exit_code, reason=reason, answer=None, withheld=withheld)
    return verdict


def regraded(verdict: Verdict, graded: Sequence[Support], book: Notebook) -> Verdict:
    """A verdict whose units have other grades: its sources and warnings with them, and an answer that was withheld.

    Args:
        graded: the units; the quotes of one whose level is another have the numbers of passages, not of sources.
    """
    changed = [new.level != old.level for old, new in zip(verdict.support, graded, strict=True)]
    if not any(changed):
        return replace(verdict, support=tuple(graded))
    citations = list(verdict.citations)
    by_passage = {c.passage or c.n: c.n for c in reversed(citations)}
    passages = {passage.n: passage for _, passage in book.read}
    for quote in (q for s, new in zip(graded, changed, strict=True) if new for q in s.quotes):
        if quote.n not in by_passage:
            by_passage[quote.n] = len(citations) + 1
            source = _citation(passages[quote.n], len(citations) + 1, quote.quote, book)
            citations.append(book.described(source))
    support = tuple(
        replace(s, quotes=tuple(Quote(by_passage[q.n], q.quote) for q in s.quotes)) if new else s
        for s, new in zip(graded, changed, strict=True)
    )
    used = {q.n for s in support for q in s.quotes}
    citations = [replace(c, led_to=c.led_to and c.n not in used) for c in citations]
    kept = tuple(w for w in verdict.warnings if w.code != "unsupported")
    verdict = replace(
        verdict, support=support, citations=tuple(citations), warnings=(*kept, *_weak(support)),
        unsupported=tuple(s.text for s in support if s.weak),
    )  # fmt: skip
    if verdict.withheld is not None and _has_ground(support):
        return replace(verdict, status="answered", exit_code=0, reason=None, answer=verdict.withheld, withheld=None)
    return verdict


def attributed_to(text: str, book: Notebook) -> list[Support]:
    """The ground of each unit of a text in what a run read."""
    return [support for _, support in _units_of(text, book)]


def _units_of(text: str, book: Notebook) -> list[tuple[Unit, Support]]:
    def rest(url: str) -> str:
        return "" if book.late() else _text(book, url)

    return attributed(text, book.question, book.read, rest)


def unanswered(stopped: str | None) -> tuple[RunStatus, int]:
    """Status and exit code of a run without an answer; `stopped` is why it was stopped early, if it was."""
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
    for n in numbers.keys() - quotes.keys():
        quotes[n] = _nearest(passages[n], [support.text for support in graded if n in support.marks])
    named = [_citation(passages[n], number, quotes.get(n), book) for n, number in numbers.items()]
    leading = led_to(book.read, set(numbers), book.question)
    return (
        *named,
        *(replace(_citation(p, n, None, book), led_to=True) for n, p in enumerate(leading, len(named) + 1)),
    )


def _nearest(passage: Passage, said: Sequence[str]) -> str:
    """The statement of a passage with most words of what it is named for, the first one where none has any.

    Nothing rests on it: the reader sees how far the passage is from what it was named for.
    """
    named = {term for term in terms(" ".join(said)[:_COMPARED]) if not term.isdigit()}  # 7,000 is in 2,500,000
    sought = named - set(terms(passage.title))
    found = itertools.islice(statements(passage.text[:_COMPARED], headings=False), _MOST_STATEMENTS)
    best = max(found, key=lambda one: len(sought & set(terms(one))), default="")
    return clip(best, 0) if best and sought & set(terms(best)) else ""


def _citation(passage: Passage, number: int, quote: str | None, book: Notebook) -> Citation:
    words = quote or clip(next(iter(sentences(passage.text)), passage.text), 0)
    verified = has_words(quote_words(surroundings(_text(book, passage.url), passage.text)), words)
    return Citation(number, passage.url, passage.title, words, verified, passage.fetched_at, passage.n)


def _numbered(support: Support, numbers: dict[int, int]) -> Support:
    quotes = tuple(Quote(numbers[quote.n], quote.quote) for quote in support.quotes)
    return replace(support, marks=tuple(numbers[n] for n in support.marks), quotes=quotes)


def removed(numbers: Sequence[int]) -> tuple[Warned, ...]:
    """A warning for numbers of passages that no page of a run has."""
    if not numbers:
        return ()
    marks = ", ".join(f"[{n}]" for n in sorted(set(numbers)))
    return (Warned("citation_removed", f"the model cited {marks}, which no page of this run has"),)


def _put_right(changes: Sequence[tuple[int, int]], book: Notebook) -> tuple[Warned, ...]:
    """A warning for marks of passages that do not say it, where another one does."""
    if not changes:
        return ()
    titles = {passage.n: passage.title for _, passage in book.read}
    named = "; ".join(
        f"{titles.get(new, '')} says what {titles.get(old, '')} was named for" for old, new in changes[:3]
    )
    return (Warned("citation_corrected", named),)


def _incomplete(text: str, book: Notebook) -> tuple[Warned, ...]:
    """A warning for a list that lacks what was asked for."""
    lack = lacking(text, book.question, book.queries)
    if lack is None:
        return ()
    count, missing = lack
    return (Warned("incomplete", f"{count - len(missing)} of {count} found; missing: {', '.join(missing)}"),)


def _weak(graded: Sequence[Support]) -> tuple[Warned, ...]:
    missing = list(dict.fromkeys(part for s in graded for part in s.missing))
    if missing:
        return (Warned("unsupported", f"no page says: {', '.join(missing)}"),)
    weak = sum(s.weak for s in graded)
    return (Warned("unsupported", f"{weak} of {len(graded)} parts of the answer have no clear ground"),) if weak else ()
