"""A model's message, which is Markdown of unknown origin, as safe Markdown and as safe HTML."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hds_cli import code
from hds_cli.render import grounds
from hds_cli.render.text import clean, link_target, one_line
from hds_cli.types import Support

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARK = re.compile(r"\s*\[(\d{1,4})\](?!\()")
_LINK = re.compile(r"(!?)\[([^\]\n]{0,300})\]\(((?:[^()\s]|\([^()\s]{0,200}\)){0,2000})[^()\n]{0,300}\)")
_OTHER_LINK = re.compile(r"\]\((?!https?://)")
_DEFINITION = re.compile(r"^(\s{0,3})\[(?=[^\]\n]{1,200}\]:)", re.MULTILINE)
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_SECTIONS = "sections"
_OPEN, _SHUT, _REF, _END = "\ue000", "\ue001", "\ue002", "\ue003"
_SPECIAL = re.compile(f"{_OPEN}(\\d+){_END}|{_SHUT}|{_REF}(\\d+){_END}")


def safe_markdown(text: str, numbers: set[int], support: Sequence[Support]) -> str:
    """A message as Markdown for a reader's own renderer: no HTML in it, no image, links to the web alone, footnotes.

    Args:
        numbers: the sources that have a footnote.
    """
    signed = grounds.signed(clean(text).strip(), support)
    return code.changed(signed, lambda part: _safe(part, numbers))


def _safe(text: str, numbers: set[int]) -> str:
    text = _OTHER_LINK.sub(r"]\\(", _LINK.sub(_web_link, _DEFINITION.sub(r"\1\\[", text)))
    text = text.replace("<", "&lt;").replace("[?]", "\\[?\\]").replace("[!]", "\\[!\\]")
    return _MARK.sub(lambda m: f"[^{m[1]}]" if int(m[1]) in numbers else f" \\[{m[1]}\\]", text)


def _web_link(match: re.Match[str]) -> str:
    target = link_target(match[3])
    return f"[{match[2]}]({target})" if target and not match[1] else match[2]


def to_html(text: str, numbers: set[int], support: Sequence[Support], *, sections: bool = False) -> str:
    """A message as HTML: raw HTML and images are shown as text, marks are links, weak parts carry their reason.

    Args:
        numbers: the sources that a mark can lead to.
        sections: the headings of the second level are those of a report's sections: links can lead to them.
    """
    marked = _PRIVATE.sub("\ufffd", clean(text).strip())
    weak = grounds.weak_parts(marked, support)
    for number, part in reversed(list(enumerate(weak))):
        marked = (
            f"{marked[: part.start]}{_OPEN}{number}{_END}{marked[part.start : part.end]}{_SHUT}{marked[part.end :]}"
        )
    marked = code.changed(marked, lambda part: _MARK.sub(lambda m: _linked(m, numbers), part))
    return _finished(_renderer().render(marked, {_SECTIONS: 0} if sections else {}), [part.support for part in weak])


def _linked(mark: re.Match[str], numbers: set[int]) -> str:
    return f"{_REF}{mark[1]}{_END}" if int(mark[1]) in numbers else mark[0]


def parsed(text: str) -> list[Token]:
    """The blocks of a message, which is clean already, as tokens of markdown-it."""
    return _renderer().parse(text)


def _finished(rendered: str, weak: Sequence[Support]) -> str:
    """HTML whose placeholders are links and spans; a span is closed before each tag and opened again behind it."""
    out: list[str] = []
    reason = ""
    seen: set[str] = set()
    for piece in re.split(r"(<[^>]*>)", rendered):
        if piece.startswith("<"):
            out.append(_SPECIAL.sub("", piece))
            continue
        place = 0
        for match in _SPECIAL.finditer(piece):
            out.append(_span(piece[place : match.start()], reason))
            place = match.end()
            if match[2]:
                out.append(_reference(match[2], seen))
            else:
                reason = html.escape(one_line(grounds.reason(weak[int(match[1])]))) if match[1] else ""
        out.append(_span(piece[place:], reason))
    return "".join(out)


def _span(text: str, reason: str) -> str:
    return f'<span class="weak" title="{reason}">{text}</span>' if reason and text.strip() else text


def _reference(number: str, seen: set[str]) -> str:
    first = "" if number in seen else f' id="ref-{number}"'
    seen.add(number)
    return f'<sup><a href="#source-{number}"{first} aria-label="source {number}">{number}</a></sup>'


@functools.cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    class Safe(MarkdownIt):
        def validateLink(self, url: str) -> bool:
            return link_target(url) is not None

    renderer = Safe("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    renderer.add_render_rule("link_open", _link_open)
    renderer.add_render_rule("heading_open", _heading_open)
    return renderer


def _heading_open(self: object, tokens: Sequence[Any], at: int, options: object, env: dict[str, int]) -> str:
    tag, level = tokens[at].tag, tokens[at].level
    if tag != "h2" or level or _SECTIONS not in env:
        return f"<{tag}>"
    env[_SECTIONS] += 1
    return f'<h2 id="section-{env[_SECTIONS]}">'


def _link_open(self: object, tokens: Sequence[object], at: int, options: object, env: object) -> str:
    address = getattr(tokens[at], "attrs", {}).get("href", "")
    target = link_target(str(address)) or ""
    return f'<a href="{html.escape(target)}" rel="noopener noreferrer nofollow">'
