"""The end of a run: the answer and its sources on stdout, one line of figures on stderr."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hds_cli import code
from hds_cli.events import RunFinished
from hds_cli.render import agreeing, grounds, passages, words
from hds_cli.render.text import clean, link, one_line, safe_url, to_text
from hds_cli.run_state import RunState
from hds_cli.types import Citation

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WIDEST = 120
_HTML = re.compile(r"<(?=[A-Za-z/!?])")
_MARKS = re.compile(r"\s*\[\d{1,4}\]")
_QUOTE = 24  # cells a quote needs beside its source; with less room it goes below


def bare(state: RunState) -> str:
    """The answer alone, for `-q`; empty when there is none."""
    finished = state.finished
    return clean(finished.answer or "").strip() if finished else ""


def text(state: RunState) -> str:
    """Answer, blank line, `[n] title <url>` lines, without a line end; no answer: that, and what was looked for."""
    answer = bare(state)
    if not answer:
        return "\n".join(nothing(state))
    finished = state.finished
    if finished and finished.text:
        answer = grounds.signed(clean(finished.text).strip(), finished.support)
    if finished and finished.status == "partial":
        answer += f"\n\n{grounds.partial(finished.reason)}"
    lines = [_source_line(c) for c in citations(state)]
    return "\n".join([answer, "", *lines]) if lines else answer


def _source_line(citation: Citation) -> str:
    return " ".join(
        part
        for part in (f"[{citation.n}]", one_line(citation.title), f"<{safe_url(citation.url)}>", _role(citation))
        if part
    )


def _role(citation: Citation) -> str:
    return "(led to the others)" if citation.led_to else ""


def citations(state: RunState) -> list[Citation]:
    """One a number, in order of the numbers."""
    by_number: dict[int, Citation] = {}
    for citation in state.finished.citations if state.finished else ():
        by_number.setdefault(citation.n, citation)
    return [by_number[n] for n in sorted(by_number)]


def nothing(state: RunState) -> list[str]:
    """The lines in the place of a missing answer; none for a failed run, whose error says it."""
    status = state.finished.status if state.finished else "failed"
    if status == "failed":
        return []
    stopped = status == "partial"
    read = sum(page.ok for query in state.queries for page in query.pages.values())
    if stopped:
        known = {"timeout": "Stopped by the time limit", "budget": "The budget was used up"}
        line = f"{known.get((state.finished and state.finished.reason) or '', 'Stopped')} before an answer was found."
    elif state.documents and not read:
        line = "No answer: nothing that was read supports one."
    elif read:
        line = "No answer: none of the pages that were read supports one."
    else:
        line = "No answer: no page was found."
    finished = state.finished
    if finished and finished.reason == "not_found" and finished.text:
        line = f"No answer; the model says: {one_line(finished.text, 600)}"
    if finished and finished.reason == "unsupported" and finished.text and not _refuses(state):
        line = f"{line} The model wrote: {one_line(finished.text, 600)}"
    if finished and finished.reason == "advice":
        return [f"No answer: {one_line(finished.explanation or '', 400)}"]
    if finished and finished.reason == "passages":
        return [f"No answer. {one_line(finished.explanation or '', 300)}", *passages.lines(citations(state))]
    queries = list(dict.fromkeys(one_line(query.text) for query in state.queries))
    return [line, *(["", "Looked for:", *(f"- {query}" for query in queries)] if queries else [])]


def _refuses(state: RunState) -> bool:
    """True for a run that was asked to show nothing that no page supports."""
    return state.started is not None and state.started.settings.get("verdict") == "refuse"


def ranges(numbers: Iterable[int]) -> str:
    """`[1-3, 5]` for 1, 2, 3 and 5; empty for none."""
    runs: list[list[int]] = []
    for n in sorted(set(numbers)):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    parts = [str(a) if a == b else f"{a}-{b}" if b > a + 1 else f"{a}, {b}" for a, b in runs]
    return f"[{', '.join(parts)}]" if parts else ""


def print_answer(console: Console, state: RunState, *, linear: bool = False) -> None:
    """The answer as a terminal shows it: references after it, sources below, each with the sentence it rests on.

    Args:
        linear: nothing stands in columns.

    Raises:
        OSError: the output could not be written.
    """
    from rich.text import Text

    answer = bare(state)
    if not answer:
        if lines := nothing(state):
            console.print(Text("\n".join(lines)))
        return
    cited = citations(state)
    if state.finished and state.finished.text:
        _print_message(console, state.finished, answer, linear=linear)
    else:
        console.print(_with_references(answer, ranges(c.n for c in cited)))
        explanation = clean((state.finished.explanation if state.finished else None) or "").strip()
        if explanation and explanation != answer:
            console.print(Text(f"\n{explanation}", style="dim"))
    if state.finished and state.finished.status == "partial":
        console.print(Text(f"\n{grounds.partial(state.finished.reason)}", style="dim"))
    if cited:
        console.print()
        width, signs = min(console.width, _WIDEST), words.signs(console.encoding)
        for line in _linear(cited, state, width, signs) if linear else _sources(cited, state, width, signs):
            console.print(line, soft_wrap=True)


def _print_message(console: Console, finished: RunFinished, answer: str, *, linear: bool) -> None:
    """The headline, what was written around it, the counts of its grades, and the reason of each weak part."""
    from rich.markdown import Markdown
    from rich.text import Text

    whole = clean(finished.text or "").strip()
    single = len(finished.support) < 2 and "\n" not in whole
    if single or not finished.answer or answer == whole or not _is_headline(answer, whole):
        answer = ""
    else:
        whole = _without_headline(whole, answer)
    body = grounds.signed(whole, finished.support)
    if answer:
        console.print(Text(answer, style="bold"))
        console.print()
    if single:
        console.print(Text(body, style="bold"))
    elif linear:
        console.print(Text(body))
    else:
        console.print(Markdown(code.changed(body, lambda part: _HTML.sub(r"\\<", part)), hyperlinks=False))
    signs = words.signs(console.encoding)
    lines = [grounds.counts(finished.support), *grounds.reasons(finished.support)]
    if any(support.weak for support in finished.support) or len(finished.support) > 1:
        console.print()
        for line in lines:
            console.print(Text(signs.show(line), style="dim"))


def _without_headline(whole: str, answer: str) -> str:
    """A message without its first or last paragraph where that is the headline, which is shown above it."""
    paragraphs = whole.split("\n\n")
    for place in (-1, 0):
        if len(paragraphs) > 1 and _MARKS.sub("", paragraphs[place]).strip() == _MARKS.sub("", answer).strip():
            del paragraphs[place]
            break
    return "\n\n".join(paragraphs)


def _is_headline(answer: str, whole: str) -> bool:
    """True for an answer that stands beside reasons, and is not all that was written."""
    return len(answer) < 300 and "\n" not in answer and len(whole) > len(answer) + 20


def _with_references(answer: str, references: str) -> Text:
    """References stand before the full stop that ends the answer."""
    body, stop = (answer[:-1], ".") if answer.endswith(".") and not answer.endswith("..") else (answer, "")
    shown = to_text(body, "bold")
    if references:
        shown.append(f" {references}", "dim")
    return shown.append(stop, "bold")


def _sources(citations: list[Citation], state: RunState, width: int, signs: words.Signs) -> list[Text]:
    from rich.text import Text

    heads = []
    most = max(len(str(c.n)) for c in citations) + 2
    titles = [signs.show(c.title, 40) for c in citations]
    column = max(Text(title).cell_len for title in titles)
    for citation, title in zip(citations, titles, strict=True):
        head = Text(f"[{citation.n}]".ljust(most + 1)).append(title)
        if title:
            head.append(" " * (2 + column - Text(title).cell_len))
        heads.append(head.append_text(_where(citation, state)))
    beside = max(head.cell_len for head in heads) + 2
    if beside - 2 > width:
        return _linear(citations, state, width, signs)
    lines = []
    for citation, head in zip(citations, heads, strict=True):
        if beside + _QUOTE <= width:
            quote = _quote(citation, width - beside - 1, signs)
            lines.append(head.append(" " * (beside - head.cell_len)).append_text(quote))
        else:
            lines += [head, *_below(citation, width, signs)]
    return lines


def _linear(citations: list[Citation], state: RunState, width: int, signs: words.Signs) -> list[Text]:
    """For each source its number and title, its address, its quote, one below the other."""
    from rich.text import Text

    lines = []
    for citation in citations:
        lines.append(Text(f"[{citation.n}] ").append(signs.show(citation.title, max(8, width - 6))))
        lines.append(Text("    ").append_text(_where(citation, state)))
        lines += _below(citation, width, signs)
    return lines


def _below(citation: Citation, width: int, signs: words.Signs) -> list[Text]:
    from rich.text import Text

    quote = _quote(citation, max(8, width - 5), signs)
    return [Text("    ").append_text(quote)] if quote.plain else []


def _quote(citation: Citation, width: int, signs: words.Signs) -> Text:
    """The sentence a source is named for, and whether it was found in the page."""
    from rich.text import Text

    doubt = "led to the others" if citation.led_to else "" if citation.verified else "not verified"
    line = ": ".join(part for part in (doubt, f'"{citation.quote}"' if citation.quote else "") if part)
    return Text(signs.show(line, width), style="dim")


def _where(citation: Citation, state: RunState) -> Text:
    """The address of a web page; the name of the source for one that has no address a person could open."""
    if citation.url.startswith(("http://", "https://")):
        return link(citation.url)
    return to_text(one_line(state.source_of(citation.url)) or safe_url(citation.url))


def summary(state: RunState) -> str:
    """`2 turns · 9 searches (8 at once) · 19 pages, 6 cached · 3.8 s · 41 tok/s · run 7f3k`."""
    pages = [page for query in state.queries for page in query.pages.values()]
    read, cached = sum(p.ok for p in pages), sum(p.cached for p in pages)
    searches = sum(len(query.searches) for query in state.queries)
    parts = [*filter(None, [agreeing.line(state)]), words.count(len(state.turns), "turn")]
    together = f" ({state.at_once} at once)" if state.at_once > 1 else ""
    parts.append(words.count(searches, "search", "searches") + together)
    parts.append(words.count(read, "page") + (f", {cached} cached" if cached else ""))
    if finished := state.finished:
        usage = finished.usage
        parts.append(words.duration(usage.seconds.total or finished.t))
        if usage.generated_tokens and usage.seconds.model > 0:
            parts.append(f"{usage.generated_tokens / usage.seconds.model:.0f} tok/s")
    if state.started:
        parts.append(f"run {one_line(state.started.run_id)}")
    return " · ".join(parts)
