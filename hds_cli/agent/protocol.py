"""The searcher's wire format: markers, prompts, the streaming query parser, the results block, the answer.

Follows HybridDeepSearcher (arXiv 2508.19113) and mends its parser: numbering and empty queries are cleaned away, a
block that is not closed or comes twice still counts, a box is read to its matching brace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hds_cli.agent.untrusted import CONTROL
from hds_cli.agent.untrusted import neutral as neutral  # a part of the protocol, too
from hds_cli.engine.base import Segment
from hds_cli.text import normalise
from hds_cli.types import Exchange, Passage

BEGIN_QUERIES = "<|begin_search_queries|>"
END_QUERIES = "<|end_search_queries|>"
BEGIN_RESULTS = "<|begin_search_results|>"
END_RESULTS = "<|end_search_results|>"
MARKERS = (BEGIN_QUERIES, END_QUERIES, BEGIN_RESULTS, END_RESULTS)
THINK = "<think>"
END_THINK = "</think>"
BOX = "\\boxed{"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
OPEN_RESULTS = f"\n\n{BEGIN_RESULTS}\n"
CLOSE_RESULTS = f"{END_RESULTS}\n\n{THINK}\n"
OPEN_ASSISTANT = f"{TURN_END}\n{TURN_START}assistant\n"  # after a user's turn

NOTHING_FOUND = "No helpful information found."
NOT_SEARCHED = "Not searched: there were too many queries. It comes first in your next block of queries."
NO_TIME = "Not searched: the time was over. It comes first in your next block of queries."
NO_TIME_AGAIN = "Not searched: the time was over again. Other words may help."
REPEATED = "You have searched this query. Please refer to previous results."
MAX_QUERY_CHARS = 200

BOXED_REQUEST = "\nYou should provide your final answer in the format \\boxed{{YOUR_ANSWER}}."
ASK = "\n\nPlease answer the question: "

# Our own words, with the steps and markers the model was trained on; the authors' text can be loaded from a file.
PREAMBLE = f"""**Your task:**

You are a careful research assistant. You can search the web, and you answer only from what you found.

Work in these steps:
1. **Plan:** decide which facts the question needs and which of them can be looked up independently.
2. **Search:** write your queries between the markers, like this:
```
{BEGIN_QUERIES}
one query or several, separated by ";
"
{END_QUERIES}
```
3. Read the numbered results that come back.
4. If facts are still missing, go back to step 2 with new queries.
5. When the results answer the question, write a short and exact answer.

**Keep in mind:**
* Put queries that do not depend on each other into one block; they run at the same time.
* Write every query so that it can be understood alone.
"""
UPSTREAM_PREAMBLE_SHA256 = "e8aac85c89d4e2d56249706076aae2d97a360a67424556ce6faa6dd72407bcf8"


def prompt(
    question: str, preamble: str = PREAMBLE, boxed: str = BOXED_REQUEST, *, older: bool = False
) -> list[Segment]:
    """The opening of a run: one user turn, and the assistant's turn that everything after belongs to.

    The blank before the question belongs to the question, as in a text that is tokenized as a whole (`: Which`).

    Args:
        older: the blank stands with the words before it, for a model that was trained so.
    """
    return [
        Segment(f"{TURN_START}user\n{preamble}{boxed}{ASK if older else ASK[:-1]}", True),
        Segment(f"{'' if older else ' '}{neutral(question)}", False),
        Segment(OPEN_ASSISTANT, True),
    ]


def follow_up(question: str, exchanges: Sequence[Exchange]) -> str:
    """A question with what was asked and answered before it."""
    asked = [f"Earlier question: {e.question}\nEarlier answer: {e.answer or 'none'}" for e in exchanges]
    return "\n".join([*asked, f"New question: {question}"])


def next_question(answer: str, question: str, *, older: bool = False) -> list[Segment]:
    """The end of an answer, and a further question as the next turn of the user."""
    return [
        Segment(f"{neutral(answer)}.\n\n", False),
        Segment(BOX, True),
        Segment(neutral(answer), False),
        Segment(f"}}{TURN_END}\n{TURN_START}user\n{ASK.strip()}{' ' if older else ''}", True),
        Segment(f"{'' if older else ' '}{neutral(question)}", False),
        Segment(OPEN_ASSISTANT, True),
    ]


def results_block(
    results: Sequence[tuple[str, Sequence[Passage] | str]],
    shown: Iterable[int] = (),
    notes: Sequence[Segment] = (),
    *,
    older: bool = False,
) -> list[Segment]:
    """The block that goes back to the model: a paragraph a query, `QUERY: text`, then an opened thought.

    The searcher was trained on a reader's prose there. Passages stand in its place one behind the other, under their
    numbers. Line ends belong to the text before them, as in a text that is tokenized as a whole (`.\\n`).

    Args:
        results: query and its passages, or the text (a notice, a reader's prose) that stands in their place.
        shown: numbers of passages that earlier blocks hold; they are named, not repeated.
        notes: lines below the results, each a segment.
        older: a line a passage, below the query, for a model that was trained so.
    """
    known = set(shown)
    lines = []
    for query, passages in results:
        if isinstance(passages, str) or not passages:
            lines.append(f"{neutral(query)}: {passages or NOTHING_FOUND}")
            continue
        texts = []
        for passage in passages:
            is_known = passage.n in known
            texts.append(f"[{passage.n}] {'(see above)' if is_known else neutral(one_line(passage.full))}")
            known.add(passage.n)
        between = "\n" if older else " "
        lines.append(f"{neutral(query)}:{between}{between.join(texts)}")
    body = "\n".join(lines).strip()
    return [
        Segment(OPEN_RESULTS, True),
        Segment(f"{body}\n", False),
        *(Segment(f"{text}\n", trusted) for text, trusted in notes),
        Segment(CLOSE_RESULTS, True),
    ]


def one_line(text: str) -> str:
    return " ".join(text.split())


_NUMBERING = re.compile(r"\(?(\d{1,2})[.):]\s+(?=\S)")
_BULLET = re.compile(r"^(?:[-*•]\s+|\(?\d{1,2}\)\s+|(?:query|search)\s*\d*\s*:\s*)", re.IGNORECASE)


def clean_query(line: str) -> str:
    """One query as it is searched: no bullet, closing semicolon or half of a pair of quotes; `""`: nothing is left.

    A number before it may be a part of it (`24: Redemption cast`, `1. FC Köln founded`); `QueryParser` knows a list.
    """
    text = one_line(CONTROL.sub(" ", line)).strip("; ")
    text = _BULLET.sub("", text)[:MAX_QUERY_CHARS].strip()
    if text.count('"') == 1:
        text = text.strip('"').strip()
    return text if any(c.isalnum() for c in text) else ""


def _number(line: str) -> int:
    """The number that a line begins with, such as `2. ` or `(2) `; 0: it begins with none."""
    match = _NUMBERING.match(line)
    return int(match[1]) if match else 0


def query_key(query: str) -> str:
    """The key of a query: two wordings with one key are the same query."""
    return normalise(query).strip(" ;.?!\"'")


_OPENED = re.compile(re.escape(BEGIN_QUERIES) + r"[ \t\r]*\n")
_OPENED_AT_END = re.compile(re.escape(BEGIN_QUERIES) + r"[ \t\r]*\Z")


@dataclass
class QueryParser:
    """Reads what the model writes, piece by piece, and gives out each query as soon as its line is complete.

    A block opens where its marker ends the line: a marker that is named inside a thought opens none. Only the first
    block counts. A first line with a semicolon inside waits: alone in its block it is a list of queries (`a; b;c`),
    with others it is one query. A first line with the number 1 waits, too: a 2 before the next makes a list of them.
    """

    _text: str = ""
    _open: bool = False
    _closed: bool = False
    _done: int = 0  # how much of the text has been read
    _held: str | None = None
    _lines: int = 0
    _counted: int = -1  # the last number of a numbered list; -1: it is none
    thought: str = ""
    after: str = ""
    queries: list[str] = field(default_factory=list)

    @property
    def begun(self) -> bool:
        """True when a block of queries was begun."""
        return self._open

    @property
    def closed(self) -> bool:
        return self._closed

    def feed(self, text: str) -> list[str]:
        """Take a piece of the model's text; returns the queries it completed."""
        if self._closed:
            self.after += text
            return []
        self._text += text
        if not self._open and not self._opens(_OPENED):
            return []
        # A second block begins: the first is over.
        ends = [at for marker in (END_QUERIES, BEGIN_QUERIES) if (at := self._text.find(marker, self._done)) >= 0]
        if ends:
            end = min(ends)
            body, self.after, self._closed = self._text[self._done : end], self._text[end:], True
            return self._take(body.split("\n"), last=True)
        stop = self._text.rfind("\n") + 1
        if stop <= self._done:
            return []
        body = self._text[self._done : stop]
        self._done = stop
        return self._take(body.split("\n"), last=False)

    def _opens(self, marker: re.Pattern[str]) -> bool:
        opening = marker.search(self._text, self._done)
        if opening is None:
            self._done = self._text.rfind("\n") + 1  # no marker goes over the end of a line
            return False
        self.thought, self._open = self._text[: opening.start()], True
        self._text, self._done = self._text[opening.end() :], 0
        return True

    def finish(self) -> list[str]:
        """No more text comes: a block that was not closed ends here."""
        if self._closed or not (self._open or self._opens(_OPENED_AT_END)):
            return []
        self._closed = True
        return self._take(self._text[self._done :].split("\n"), last=True)

    def _take(self, lines: Iterable[str], *, last: bool) -> list[str]:
        new: list[str] = []
        for line in lines:
            line = line.strip().strip(";").strip()
            if not line:
                continue
            self._lines += 1
            if self._lines == 1 and (";" in line or _number(line) == 1):
                self._held = line
                continue
            if self._held is not None:
                new.append(self._held)
                self._counted = 0 if (_number(self._held), _number(line)) == (1, 2) else -1
                self._held = None
            new.append(line)
        if last and self._held is not None:
            new += [part.strip() for part in self._held.split(";")] if self._lines == 1 else [self._held]
            self._counted = 0 if [*map(_number, new[:2])] == [1, 2] else -1
            self._held = None
        return self._fresh(new)

    def _fresh(self, lines: Iterable[str]) -> list[str]:
        """The lines as queries, without those that the block has already."""
        fresh = []
        keys = {query_key(query) for query in self.queries}
        for line in lines:
            if 0 <= self._counted == _number(line) - 1:
                self._counted, line = self._counted + 1, _NUMBERING.sub("", line, count=1)
            query = clean_query(line)
            if query and query_key(query) not in keys:
                keys.add(query_key(query))
                fresh.append(query)
        self.queries += fresh
        return fresh


def parse_queries(text: str) -> list[str] | None:
    """The queries of a whole response; None when there are none."""
    parser = QueryParser()
    parser.feed(text)
    parser.finish()
    return parser.queries or None


_STRAIGHT = re.compile(rf"\n\n(?={_OPENED.pattern})")


def close_thought(response: str) -> str:
    """A response that goes from its thought straight to the queries gets the closing tag it was trained with."""
    if END_THINK in response:
        return response
    return _STRAIGHT.sub(f"\n{END_THINK}\n\n", response)


FORCED = f"\n{END_THINK}\n\n**Final Answer:**\n{BOX}"


def without_markers(written: str) -> str:
    """`written` without the blanks and markers of searching at its end, as the reference cuts it before an answer."""
    text = written.rstrip()
    while marker := next((m for m in MARKERS if text.endswith(m)), None):
        text = text.removesuffix(marker).rstrip()
    return text


def forced_answer(written: str) -> str:
    """The text to append to `written`, which is cut by `without_markers`, so that the model answers now."""
    return f"\n\n**Final Answer:**\n{BOX}" if written.endswith(END_THINK) else FORCED


def boxed(text: str) -> str | None:
    """The content of the last `\\boxed{…}` with balanced braces; an unclosed last one runs to the end of its line."""
    answer: str | None = None
    at = text.find(BOX)
    while at >= 0:
        content, end = balanced(text, at + len(BOX))
        answer = content if end is not None else content.split("\n")[0]
        at = text.find(BOX, end if end is not None else len(text))
    if answer is None:
        return None
    return _tidy(answer)


def _tidy(answer: str) -> str:
    while (at := answer.rfind("\\text{")) >= 0:
        content, end = balanced(answer, at + len("\\text{"))
        if end is None:
            break
        answer = content
    answer = answer.strip()
    if answer.startswith("(") and answer.endswith(")") and answer.count("(") == 1:
        answer = answer[1:-1]
    return answer.strip()


def balanced(text: str, start: int) -> tuple[str, int | None]:
    """Text from `start` to the brace that closes the one before it, and the place after it (None: not closed)."""
    depth = 1
    escaped = False
    for at in range(start, len(text)):
        char = text[at]
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return text[start:at], at + 1
    return text[start:], None


def last_message(response: str) -> str:
    """The message in a final response: all text behind the thought; only the box when the thought never ended."""
    if END_THINK in response:
        body = response.rsplit(END_THINK, 1)[-1].strip()
        if body:
            return body
    answer = boxed(response)
    return f"{BOX}{answer}}}" if answer else ""


def split_answer(response: str) -> tuple[str | None, str]:
    """The answer of a final response and the words around it, without thought, box and the "Final Answer" heading."""
    body = response.rsplit(END_THINK, 1)[-1]
    thought = response.rsplit(END_THINK, 1)[0] if END_THINK in response else ""
    answer = boxed(body)
    if answer is None:
        answer = boxed(response)
    words = body.split(BOX)[0] if BOX in body else body
    words = re.sub(r"\*\*\s*Final Answer:?\s*\*\*:?", "", words).strip()
    explanation = words or thought.replace(THINK, "").strip()
    return (answer or None), explanation
