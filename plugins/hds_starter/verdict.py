"""What becomes of an answer of the starter: it is shown where pages support it, and refused where they do not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hds_cli.agent.dialects import Written, strip_numbers
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.verdict import Verdict, Warned, attributed_to, removed, unanswered
from hds_cli.text import has_words, quote_words
from hds_cli.types import Citation, Support
from hds_starter import advice, covering, grounds, passages
from hds_starter.asking import asked
from hds_starter.forms import Asked
from hds_starter.working import Solution, solved

_WHO = frozenset("who whom whose wer wem wen wessen qui quién quien quem chi кто кого хто ποιος ποια من".split())


def judge(written: Written, book: Notebook, stopped: str | None = None) -> Verdict:
    """The policy `starter` of `hds.verdicts.v1`: over other pages than it was taught it only shows passages.

    Args:
        stopped: why the run was stopped early (`timeout`, `interrupted`), if it was.
    """
    reading = asked(book.question)
    if isinstance(reading, Asked) and (solution := solved(reading, book.read, book.queries)):
        return _told(_solved(solution, written, book, stopped), reading)
    verdict = grounded(written, book, stopped)
    others = passages.strange(book)
    if others and not (verdict.answer and not {citation.url for citation in verdict.citations} & set(others)):
        return replace(passages.best(book, others, stopped), raw_answer=verdict.raw_answer)  # for scoring
    if verdict.answer is not None and (around := covering.misread(reading, verdict.answer, book)):
        return replace(refused(verdict, stopped), reason=stopped or "advice", explanation=advice.misread(around))
    if verdict.answer is not None and not covering.covers(verdict, book):
        verdict = refused(verdict, stopped)
    if verdict.answer is not None:
        return verdict
    return replace(verdict, reason=stopped or "advice", explanation=advice.line(reading, book))


def _told(verdict: Verdict, reading: Asked) -> Verdict:
    """The verdict, and a line to its reader where a misspelt name was read as another."""
    if not reading.read_as or verdict.answer is None:
        return verdict
    said = Warned("asked_as", f"asked as: {', '.join(reading.read_as)}")
    return replace(verdict, warnings=(*verdict.warnings, said))


def refused(verdict: Verdict, stopped: str | None) -> Verdict:
    """The verdict without its answer."""
    status, exit_code = unanswered(stopped)
    reason = stopped or "unsupported"
    return Verdict(status, exit_code, reason, warnings=verdict.warnings, raw_answer=verdict.raw_answer)


def _solved(solution: Solution, written: Written, book: Notebook, stopped: str | None) -> Verdict:
    """The end of a run whose answer follows from facts of its pages: the model's own words, where they say the same."""
    own = grounded(written, book, stopped)
    if own.answer and not own.unsupported and solution.agrees(own.answer):
        return own
    citations = []
    for fact in {fact.n: fact for fact in reversed(solution.facts)}.values():
        page = book.page(fact.url)
        verified = page is not None and has_words(quote_words(page.text), fact.sentence)
        citations.append(Citation(fact.n, fact.url, fact.title, fact.sentence, verified))
    status, exit_code = unanswered(stopped) if stopped else ("answered", 0)
    if not all(citation.verified for citation in citations):
        return Verdict(*unanswered(stopped), stopped or "unsupported", raw_answer=written.answer)
    return Verdict(
        status, exit_code, stopped, solution.answer, solution.explanation or None, tuple(reversed(citations)),
        raw_answer=solution.answer,
    )  # fmt: skip


def grounded(written: Written, book: Notebook, stopped: str | None = None) -> Verdict:
    """The policy `grounded`: an answer that no page supports is no answer.

    Args:
        stopped: why the run was stopped early (`timeout`, `interrupted`), if it was.
    """
    without_answer = unanswered(stopped)
    if not book.read and not stopped:
        return Verdict(*without_answer, "no_evidence", explanation=book.nothing_on())
    if written.answer is None or written.gave_up:
        return Verdict(*without_answer, stopped or "not_found")
    explanation, unknown = strip_numbers(written.explanation, book.numbers)
    support = grounds.support(written.answer, explanation, book.question, book.read, book.page)
    warnings = list(removed(unknown))
    if support.supported and (holes := _without_ground(written.answer, explanation, book)):
        left = tuple(item for item in dict.fromkeys((*support.unsupported, *holes)))
        items = grounds.answer_items(written.answer, [passage for _, passage in book.read])
        support = replace(support, unsupported=left, supported=not set(items) <= set(left))
    if support.unsupported and support.supported:
        warnings.append(Warned("unsupported", f"no page says: {', '.join(support.unsupported)}"))
    if not support.supported:
        reason = stopped or "unsupported"
        return Verdict(*without_answer, reason, explanation=written.explanation or None, warnings=tuple(warnings))
    status, exit_code = without_answer if stopped else ("answered", 0)
    explanation = _led_to_sources(explanation, support.citations, book)
    return Verdict(
        status, exit_code, stopped, written.answer, explanation or None, support.citations, support.unsupported,
        tuple(warnings), raw_answer=written.answer,
    )  # fmt: skip


def _led_to_sources(explanation: str, citations: Sequence[Citation], book: Notebook) -> str:
    """The explanation with each `[n]` leading to a source: of the same page, where the passage itself is none."""
    cited = {citation.url: citation.n for citation in citations}
    numbers = {passage.n: cited.get(passage.url) for _, passage in book.read}
    numbers |= {citation.n: citation.n for citation in citations}

    def led(match: re.Match[str]) -> str:
        n = numbers.get(int(match[2]))
        return "" if n is None else f"{match[1]}[{n}]"

    return re.sub(r"(\s{0,9})\[(\d{1,4})\]", led, explanation)


def _without_ground(answer: str, explanation: str, book: Notebook) -> list[str]:
    """The items of a short answer that words alone would let pass: said of another subject, by no name, or twice.

    `The capital of Switzerland is Warsaw [2]`: no sentence has both. `Who …?` is answered by a name. `Norway: Oslo;
    Sweden: Oslo`: one of two equal values is of neither.
    """
    items = grounds.answer_items(answer, [passage for _, passage in book.read])
    if _asks_who(book.question) and not any(word[:1].isupper() for word in answer.split()) and answer.islower():
        return items
    claimed = [s for s in attributed_to(explanation, book) if s.marks]
    holes = []
    for item in items:
        value = item.rpartition(": ")[2]
        naming = [s for s in claimed if has_words(quote_words(s.text), value)]
        if naming and all(s.weak and _is_of_another(s, value) for s in naming):
            holes.append(item)
    values_of = Counter(quote_words(item.rpartition(": ")[2]) for item in items if ": " in item)
    twice = [item for item in items if values_of[quote_words(item.rpartition(": ")[2])] > 1]
    return holes + [s.text for s in attributed_to("\n\n".join(twice), book) if s.weak]


def _is_of_another(support: Support, value: str) -> bool:
    """True for a claim that says more than a value: it is a value of something."""
    return len(quote_words(support.text).split()) > len(quote_words(value).split()) + 2


def _asks_who(question: str) -> bool:
    return bool(set(quote_words(question).split()[:3]) & _WHO)
