"""Tool calls as models trained on Qwen's format write them: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`.

Read leniently: names and arguments as other open research models were taught them (`browse`, `queries`, …), arguments
as a string, a missing bracket, a call that is not closed. What cannot be read is answered with what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hds_cli.agent import protocol
from hds_cli.agent.listing import Visit, more_of, visit_of

OPEN, CLOSE = "<tool_call>", "</tool_call>"
OPEN_ANSWER, CLOSE_ANSWER = "<tool_response>", "</tool_response>"
_SEARCH = {"search", "web_search", "google_search", "search_web", "searchtool", "google_scholar", "scholar_search"}
_VISIT = {"visit", "browse", "open", "open_url", "read", "read_page", "visit_url", "visit_page", "fetch", "crawl_page"}
_QUERY_NAMES, _URL_NAMES = ("query", "queries", "q", "query_list", "keywords"), ("url", "urls", "link", "links", "page")
_GOAL_NAMES = ("goal", "query", "question", "what_to_find", "purpose", "info_to_extract")
_MOST_CALL = 20_000  # characters
_MOST_CALLS, _MOST_DEPTH, _MOST_GOAL = 16, 40, 300
_FENCED = re.compile(r"\A\s*```[a-z]*\s*\n?(.*?)\s*(?:```\s*)?\Z", re.DOTALL | re.IGNORECASE)
_TRAILING = re.compile(r",\s*(?=[}\]])")
_NUMBER = re.compile(r"\[?\(?(\d{1,4})\)?\]?")
EXAMPLE = f'{OPEN}\n{{"name": "search", "arguments": {{"query": ["first query", "second query"]}}}}\n{CLOSE}'


@dataclass(frozen=True)
class Call:
    """One call: the searches that it asks for, as queries; or `fault`, what is wrong with it."""

    queries: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Calls:
    """The calls of a turn; `lead` is the text before them, `open` that the last one is not closed."""

    lead: str
    calls: tuple[Call, ...] = ()
    open: bool = False

    @property
    def queries(self) -> tuple[str, ...]:
        """The queries of all calls, each once."""
        every = [query for call in self.calls for query in call.queries]
        return tuple({protocol.query_key(query): query for query in reversed(every)}.values())[::-1]


def read_calls(text: str, address: dict[int, str] | None = None) -> Calls:
    """The calls in a turn's text, behind its thought.

    Args:
        address: the addresses of the passages that were read, by their numbers, for a visit of `[3]`.
    """
    start = text.find(OPEN)
    if start < 0:
        return Calls(text)
    bodies: list[str] = []
    place, unclosed = start, False
    while place >= 0 and len(bodies) < _MOST_CALLS:
        body = place + len(OPEN)
        ends = [at for at in (text.find(CLOSE, body), text.find(OPEN, body)) if at >= 0]
        end = min(ends, default=len(text))
        unclosed = not ends
        bodies.append(text[body:end])
        place = text.find(OPEN, end)
    return Calls(text[:start], tuple(_call(body, address or {}) for body in bodies), unclosed)


def _call(body: str, address: dict[int, str]) -> Call:
    value = _value(body)
    if not isinstance(value, dict):
        return Call(fault="it is not one object in JSON")
    name = str(value.get("name") or value.get("function") or "").strip().casefold()
    arguments = next((value[key] for key in ("arguments", "parameters", "args", "input") if key in value), None)
    arguments = _value(arguments) if isinstance(arguments, str) else arguments
    if arguments is None and set(value) & {*_QUERY_NAMES, *_URL_NAMES}:
        arguments = value  # the arguments alone
    if not isinstance(arguments, dict):
        return Call(fault='it has no object "arguments"')
    if name in _VISIT or (not name and set(arguments) & set(_URL_NAMES)):
        return _visit(arguments, address)
    if name in _SEARCH or not name:
        return _search(arguments)
    return Call(fault=f'there is no tool "{protocol.neutral(name[:40])}"; there are search and visit')


def _search(arguments: dict[str, Any]) -> Call:
    stated = _texts(arguments, _QUERY_NAMES)
    # What only a visit may say is no query: a search never visits by its words.
    queries = [q for text in stated if (q := protocol.clean_query(text)) and visit_of(q) is None]
    queries = [f"more: [{n}]" if (n := more_of(query)) is not None else query for query in queries]
    return Call(tuple(dict.fromkeys(queries)), "" if queries else 'its "query" is empty')


def _visit(arguments: dict[str, Any], address: dict[int, str]) -> Call:
    urls = [protocol.one_line(url) for url in _texts(arguments, _URL_NAMES)]
    goals = _texts(arguments, _GOAL_NAMES)
    goal = protocol.one_line(goals[0])[:_MOST_GOAL] if goals else ""
    numbered = [address.get(int(n[1]), url) if (n := _NUMBER.fullmatch(url)) else url for url in urls]
    visits = [Visit(url, goal).query for url in dict.fromkeys(numbered) if url and "<" not in url and ">" not in url]
    usable = [query for query in visits if visit_of(query) is not None]
    return Call(tuple(usable), "" if usable else 'its "url" is no address')


def _texts(arguments: dict[str, Any], names: Iterable[str]) -> list[str]:
    """The texts of the first argument of these names that is there; a list may stand as a text of JSON."""
    value = next((arguments[name] for name in names if arguments.get(name)), None)
    if isinstance(value, str) and value.lstrip().startswith("["):
        inner = _value(value)
        value = inner if isinstance(inner, list) else value
    values: Sequence[object] = value if isinstance(value, list) else [] if value is None else [value]
    return [str(item) for item in values if isinstance(item, str | int) and str(item).strip()]


def _value(body: str) -> object:
    """A value of JSON, its small faults mended; None where that does not help."""
    body = body[:_MOST_CALL].strip()
    fenced = _FENCED.match(body) if body.startswith("```") else None
    body = fenced[1] if fenced else body
    for text in (body, _TRAILING.sub("", body), _closed(_TRAILING.sub("", body))):
        try:
            value: object = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            continue
        return value
    return None


def _closed(body: str) -> str:
    """JSON with the brackets that it lacks at its end, and without what stands behind its last one."""
    stack: list[str] = []
    within = escaped = False
    for at, char in enumerate(body):
        if within:
            within, escaped = (char != '"' or escaped), (char == "\\" and not escaped)
        elif char == '"':
            within = True
        elif char in "{[":
            stack.append("}" if char == "{" else "]")
            if len(stack) > _MOST_DEPTH:
                return ""
        elif char in "}]":
            if not stack or stack.pop() != char:
                return ""
            if not stack:
                return body[: at + 1]
    return body + ('"' if within else "") + "".join(reversed(stack))
