"""How figures and reasons are said: the words and signs that the tree, the plain lines and the summary share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hds_cli.render.text import clip, one_line

_REASONS = {
    "timeout": "no answer in time",
    "deadline": "not there in time",
    "cancelled": "given up",
    "dns": "no such host",
    "offline": "not fetched: offline",
    "private_address": "blocked: a private address",
    "special_name": "blocked: a local name",
    "port": "blocked: unusual port",
    "scheme": "blocked: not http or https",
    "userinfo": "blocked: address with a password",
    "bad_url": "not a valid address",
    "robots": "robots.txt says no",
    "robots_unavailable": "robots.txt cannot be read",
    "too_big": "too big",
    "bomb": "grows too big when unpacked",
    "bad_encoding": "unknown compression",
    "not_text": "not a text",
    "empty": "no text in it",
    "needs_browser": "its text comes by scripts, which are not run",
    "consent": "a question for consent instead of the page",
    "sign_in": "a sign-in form instead of the page",
    "missing_package": "a package for this kind of file is missing",
    "encrypted": "needs a password",
    "truncated": "broke off",
    "connect": "cannot connect",
    "http_401": "wants a login (401)",
    "http_403": "refused (403)",
    "http_404": "not found (404)",
    "http_410": "gone (410)",
    "http_429": "rate limited (429)",
    "redirects": "too many redirects",
    "tls": "its certificate cannot be verified",
    "challenge": "a bot check instead of the page",
    "too_many_redirects": "too many redirects",
    "extract_killed": "reading it took too much time or memory",
    "extract_timeout": "reading it took too long",
    "copy": "same as another page",
}


@dataclass(frozen=True)
class Signs:
    """The signs an output's encoding has; `show` makes any text printable in it, so that widths stay true."""

    encoding: str = "utf-8"
    branch: str = "├─ "
    last: str = "└─ "
    down: str = "│  "
    cross: str = "✗"
    dot: str = "·"
    more: str = "…"
    spinner: str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

    def show(self, text: str, width: int | None = None) -> str:
        """`text` safe, on one line, in characters of this encoding, cut to `width` cells."""
        line = one_line(text)
        if not self.encoding.startswith("utf"):
            line = line.encode(self.encoding, "backslashreplace").decode(self.encoding)
        return line if width is None else clip(line, width, self.more)


def signs(encoding: str) -> Signs:
    """Box drawing and braille where the encoding is a UTF, ASCII everywhere else."""
    name = encoding.lower()
    if name.startswith("utf"):
        return Signs(name)
    try:
        "".encode(name)
    except LookupError:
        name = "ascii"
    return Signs(name, "|- ", "`- ", "|  ", "x", "-", "...", "|/-\\")


def duration(seconds: float) -> str:
    """`12 ms`, `0.4 s`, `75 s`, `12 min`."""
    if seconds < 0.0995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 1000 else f"{seconds / 60:.0f} min"


def size(count: int) -> str:
    """`312 B`, `42 kB`, `1.3 MB`: bytes, by thousands."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 999_500 else f"{count / 1e6:.1f} MB"


def count(n: int, one: str, many: str | None = None) -> str:
    """`1 page`, `3 pages`, `2 searches`."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def folded(line: str, width: int | None) -> list[str]:
    """A line of parts between ` · ` in lines of at most `width` cells, broken between parts; None: as it is."""
    from rich.cells import cell_len

    lines: list[str] = []
    for part in line.split(" · "):
        if lines and (width is None or cell_len(f"{lines[-1]} · {part}") < width):
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines


def reason(code: str | None) -> str:
    """A machine word of a page's failure as a person says it; an unknown one with blanks for underscores."""
    if not code:
        return "failed"
    if code in _REASONS:
        return _REASONS[code]
    if status := re.fullmatch(r"http_(\d{3})", code):
        return f"{'server error' if status[1][0] == '5' else 'not served'} ({status[1]})"
    return one_line(code.replace("_", " ") if re.fullmatch(r"\w+", code) else code)


def host(url: str) -> str:
    """The host of a web address without `www.`; empty for any other address."""
    from urllib.parse import urlsplit

    from hds_cli.render.text import safe_url

    try:
        parts = urlsplit(safe_url(url))
    except ValueError:
        return ""
    return (parts.hostname or "").removeprefix("www.") if parts.scheme in ("http", "https") else ""
