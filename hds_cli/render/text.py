"""Untrusted text -> text that a terminal can only print. Every title, URL, snippet, thought and answer passes here.

Web text is data: never markup, never a terminal command. `clean` works code point by code point, so a sequence that is
cut across two pieces of a stream is caught as well. Loads nothing of rich until a width is asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from rich.text import Text

_BAD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)
_CLIP = "…"
_IN_URL = "!#$%&'()*+,-./:;=?@_~"  # brackets are encoded outside of an IPv6 host


def clean(s: str) -> str:
    """`s` without a code point that a terminal obeys or that hides or turns other text.

    C0 controls are shown as their pictures (U+2400…), DEL, C1 and lone surrogates as U+FFFD; `\\r`, line and
    paragraph separators, bidi controls, invisible operators, byte order marks and tag characters are dropped. `\\n`
    and `\\t` stay.
    """
    return _BAD.sub(_replacement, s)


def _replacement(character: re.Match[str]) -> str:
    point = ord(character[0])
    if character[0] == "\r":
        return ""
    if point < 0x20:
        return chr(0x2400 + point)
    return "\ufffd" if point <= 0x9F or 0xD800 <= point <= 0xDFFF else ""


def one_line(s: str, width: int | None = None) -> str:
    """`s` cleaned, on one line with single blanks, and cut with `…` to `width` cells (a CJK character counts 2)."""
    line = " ".join(clean(s).split())
    return line if width is None else clip(line, width)


def clip(line: str, width: int, mark: str = _CLIP) -> str:
    """`line` cut to `width` cells, the last of them `mark` when something was cut."""
    from rich.cells import cell_len

    if cell_len(line) <= width:
        return line
    if width < len(mark):
        return mark[: max(0, width)]
    low, high = 0, min(len(line), 4 * width + 16)
    while low < high:
        middle = (low + high + 1) // 2
        if cell_len(line[:middle]) <= width - len(mark):
            low = middle
        else:
            high = middle - 1
    return line[:low].rstrip() + mark


def safe_url(url: str) -> str:
    """An address in full, in ASCII: a non-ASCII host as punycode, everything else percent-encoded."""
    url = url.strip()
    if "://" not in url:  # `[stdin]`, the name of a file: not an address of the web
        return one_line(url)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not parts.netloc or host.isascii():
            return _encoded(url)
        netloc = parts.netloc[parts.netloc.rfind("@") + 1 :]
        user = parts.netloc[: len(parts.netloc) - len(netloc)]
        port = f":{parts.port}" if parts.port is not None else ""
        return _encoded(parts._replace(netloc=f"{user}{_punycode(host)}{port}").geturl())
    except ValueError:
        return _encoded(url)


def _encoded(url: str) -> str:
    bracketed = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#\[\]]*@)?\[[0-9A-Fa-f:.]+\]", url)
    head = bracketed[0] if bracketed else ""
    # Lone surrogates cannot be encoded as UTF-8: "replace" makes them "?"
    return quote(head, safe=_IN_URL + "[]", errors="replace") + quote(url[len(head) :], safe=_IN_URL, errors="replace")


def _punycode(host: str) -> str:
    labels = []
    for label in re.split("[.。．｡]", host):
        try:
            labels.append(label.encode("idna").decode("ascii"))
        except UnicodeError:
            ascii_form = label.encode("utf-8", "replace").decode("utf-8").lower().encode("punycode").decode("ascii")
            labels.append("xn--" + re.sub(r"[^a-z0-9_-]", "-", ascii_form))
    return ".".join(labels)


def link_target(url: str) -> str | None:
    """The address an OSC 8 hyperlink may carry, rebuilt by us; None unless it is http or https with a host."""
    safe = safe_url(url)
    try:
        parts = urlsplit(safe)
    except ValueError:
        return None
    return safe if parts.scheme in ("http", "https") and parts.hostname else None


def to_text(s: str, style: str = "") -> Text:
    """`s` cleaned, as a rich `Text`: never parsed as markup."""
    from rich.text import Text

    return Text(clean(s), style=style)


def link(url: str, style: str = "", *, width: int | None = None) -> Text:
    """The address as text, a hyperlink to itself where the terminal knows hyperlinks and the scheme allows it."""
    from rich.style import Style
    from rich.text import Text

    from hds_cli.render import links

    shown = safe_url(url) if width is None else clip(safe_url(url), width)
    text = Text(shown, style=style)
    if links.known() and (target := link_target(url)):
        text.stylize(Style(link=target))
    return text
