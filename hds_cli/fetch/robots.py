"""robots.txt as RFC 9309 says, with the tolerances of google/robotstxt (typos, missing colons, `index.html`)."""

from __future__ import annotations

import re

LIMIT = 500 << 10
MAX_DELAY = 10.0
_AGENT = re.compile(r"[a-zA-Z_-]+")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEYS = (
    ("agent", re.compile(r"user[- ]?agent", re.I)),
    ("disallow", re.compile(r"disallow|dissallow|dissalow|disalow|diasllow|disallaw", re.I)),
    ("allow", re.compile(r"allow", re.I)),
    ("delay", re.compile(r"crawl-?delay", re.I)),
)
_MAX_LINE = 2083 * 8 - 1  # bytes; the rest of a line is cut off, as in the reference parser


class Robots:
    """The rules of one robots.txt for one product token.

    The longest pattern that matches decides; of two equally long ones the allowing one. A group that names the token
    replaces the groups for `*`.

    Args:
        text: the file; what is beyond 500 KiB is not read.
        agent: the product token, `hds`.
    """

    def __init__(self, text: str, agent: str = "hds") -> None:
        self._agent = agent.lower()
        self._rules: dict[bool, list[tuple[str, bool]]] = {True: [], False: []}  # by "names us"
        self._delays: dict[bool, float] = {}
        self._named = False
        self._read(text[:LIMIT])

    @property
    def delay(self) -> float:
        """Crawl-delay in seconds, at most ten."""
        return self._delays.get(self._named, 0.0)

    def allowed(self, path: str) -> bool:
        """True when `path` (with its query, percent-encoded as it is requested) may be fetched."""
        if path == "/robots.txt":
            return True
        path = _unescaped(path if path.startswith("/") else f"/{path}")
        best = {True: -1, False: -1}
        for pattern, allow in self._rules[self._named]:
            if len(pattern) > best[allow] and _matches(pattern, path):
                best[allow] = len(pattern)
        return best[True] >= best[False]

    def _read(self, text: str) -> None:
        ours = everyone = False
        rules_seen = True
        # A byte order mark, or the first bytes of one (which decode to U+FFFD), is no part of the first line.
        for raw in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff").removeprefix("\ufffd")):
            key, value = _parse(raw[:_MAX_LINE])
            if key == "agent":
                if rules_seen:
                    ours = everyone = rules_seen = False
                if value == "*" or re.match(r"\*\s", value):
                    everyone = True
                elif (agent := _AGENT.match(value)) and agent[0].lower() == self._agent:
                    ours = self._named = True
            elif key:
                rules_seen = rules_seen or key != "delay"
                for named in (True, False):
                    if ours if named else everyone:
                        self._add(named, key, value)

    def _add(self, named: bool, key: str, value: str) -> None:
        if key == "delay":
            if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value):
                self._delays[named] = min(float(value), MAX_DELAY)
            return
        rules = self._rules[named]
        if not value:
            return
        pattern = _escaped(value)
        rules.append((pattern, key == "allow"))
        head, slash, last = pattern.rpartition("/")
        if key == "allow" and slash and last.startswith("index.htm"):
            rules.append((f"{head}/$", True))


def _parse(line: str) -> tuple[str, str]:
    line = line.partition("#")[0].strip()
    name, colon, value = line.partition(":")
    if not colon:
        words = line.split(None, 1)
        if len(words) != 2 or len(line.split()) != 2:
            return "", ""
        name, value = words
    name = name.strip()
    for key, pattern in _KEYS:
        if pattern.match(name):
            return key, value.strip()
    return "", ""


def path_of(url: str) -> str:
    """The path and query of a URL: the part that the rules are about."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _escaped(pattern: str) -> str:
    """A pattern with its non-ASCII characters percent-encoded, as requested paths have them."""
    pattern = _unescaped(pattern)
    return "".join(c if c < "\x80" else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace")) for c in pattern)


def _unescaped(path: str) -> str:
    """Escapes of letters, digits and `-._~` as what they stand for, all others in capitals (RFC 9309 2.2.2).

    The reference parser compares strings as they are: there `/%70rivate` would get past `Disallow: /private`.
    """

    def plain(escape: re.Match[str]) -> str:
        char = chr(int(escape[1], 16))
        return char if char in _UNRESERVED else escape[0].upper()

    return _ESCAPE.sub(plain, path)


def _matches(pattern: str, path: str) -> bool:
    """`*` is any run of characters, a final `$` the end; leftmost greedy search, so no pattern is exponential."""
    anchored = pattern.endswith("$")
    first, *rest = (pattern[:-1] if anchored else pattern).split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not rest:
        return not anchored or at == len(path)
    for piece in rest[:-1]:
        if (place := path.find(piece, at)) < 0:
            return False
        at = place + len(piece)
    last = rest[-1]
    if anchored:
        return path.endswith(last) and len(path) - len(last) >= at
    return path.find(last, at) >= 0
