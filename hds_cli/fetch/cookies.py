"""Cookies for one page's way: what a redirect set on the way, and what the user's own file holds (RFC 6265).

Nothing is kept: a jar ends with the chain of redirects that filled it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from hds_cli.errors import ConfigError

MAX_COOKIES = 50
MAX_SIZE = 4096  # characters of one cookie, name and value
MAX_FILE = 4 << 20
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]*")
_ADDRESS = re.compile(r"[\d.]+|\[?[0-9a-fA-F:]*:[0-9a-fA-F:.]*\]?")


@dataclass(frozen=True)
class Cookie:
    """One cookie and where it may go."""

    name: str
    value: str
    host: str
    below: bool  # True: goes to the hosts below `host` too
    path: str
    secure: bool

    def goes_to(self, url: str) -> bool:
        """True when a request for `url` carries it."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower().rstrip(".")
        if self.secure and parts.scheme != "https":
            return False
        if host != self.host and not (self.below and host.endswith("." + self.host) and not _ADDRESS.fullmatch(host)):
            return False
        path = parts.path or "/"
        return path == self.path or path.startswith(self.path if self.path.endswith("/") else self.path + "/")


class Jar:
    """The cookies of one page's way.

    Args:
        own: the user's own, sent where they belong beside those that were set on the way.
    """

    def __init__(self, own: Sequence[Cookie] = ()) -> None:
        self._own = own
        self._set: dict[tuple[str, str, str], Cookie] = {}

    def take(self, url: str, lines: Iterable[str]) -> None:
        """Take in the Set-Cookie lines of an answer from `url`."""
        for line in lines:
            parsed = _cookie(url, line)
            if parsed is None:
                continue
            cookie, is_over = parsed
            key = (cookie.host, cookie.path, cookie.name)
            if is_over:
                self._set.pop(key, None)
            elif len(self._set) < MAX_COOKIES or key in self._set:
                self._set[key] = cookie

    def header(self, url: str) -> dict[str, str]:
        """The Cookie header of a request, or nothing."""
        cookies = {cookie.name: cookie for cookie in self._own if cookie.goes_to(url)}
        cookies |= {cookie.name: cookie for cookie in self._set.values() if cookie.goes_to(url)}
        ordered = sorted(cookies.values(), key=lambda cookie: -len(cookie.path))
        return {"Cookie": "; ".join(f"{c.name}={c.value}" for c in ordered)} if ordered else {}


def _cookie(url: str, line: str) -> tuple[Cookie, bool] | None:
    """The cookie of a Set-Cookie line, and True when it is over already; None when the sender may not set it."""
    pair, *rest = line.split(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or len(name) + len(value) > MAX_SIZE:
        return None
    attributes = {key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in rest[:20])}
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    domain = attributes.get("domain", "").lower().strip(".")
    if domain and domain != host:
        if "." not in domain or not host.endswith("." + domain) or _ADDRESS.fullmatch(host):
            return None
    elif _ADDRESS.fullmatch(host):
        domain = ""
    path = attributes.get("path", "")
    if not path.startswith("/"):
        path = (parts.path.rpartition("/")[0] or "/") if parts.path.startswith("/") else "/"
    return Cookie(name, value, domain or host, bool(domain), path, "secure" in attributes), _is_over(attributes)


def _is_over(attributes: dict[str, str]) -> bool:
    if re.fullmatch(r"-?\d{1,18}", age := attributes.get("max-age", "")):
        return int(age) <= 0
    try:
        return parsedate_to_datetime(attributes["expires"]).timestamp() <= time.time()
    except (KeyError, ValueError, TypeError, OverflowError):
        return False


def from_file(path: Path, now: float | None = None) -> tuple[Cookie, ...]:
    """The cookies of a file in Netscape's format, as browsers' add-ons and curl write it; those that are over are not.

    Raises:
        ConfigError: it cannot be read, others may read it, or a line has another format. No message holds a value.
    """
    hint = "seven columns parted by tabs, as curl and browser add-ons write cookies.txt"
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()[: MAX_FILE + 1].decode("utf-8", "replace")
    except OSError as exc:
        raise ConfigError(f"fetch.cookies: {path} cannot be read: {exc.strerror or exc}") from None
    if mode & 0o077:
        raise ConfigError(
            f"{path} holds cookies and others may read it (mode {mode & 0o777:o})", hint=f"chmod 600 {path}"
        )
    out = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.removeprefix("#HttpOnly_")
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) < 6 or not fields[4].split(".")[0].lstrip("-").isdigit():
            raise ConfigError(f"fetch.cookies: line {number} of {path} is no cookie", hint=hint)
        host, below, place, secure, until, name, value = (*fields, "")[:7]
        ends = float(until)
        if (ends > 0 and ends <= (time.time() if now is None else now)) or not _NAME.fullmatch(name):
            continue
        if _VALUE.fullmatch(value):
            is_below = below.upper() == "TRUE" or host.startswith(".")
            out.append(Cookie(name, value, host.lower().strip("."), is_below, place or "/", secure.upper() == "TRUE"))
    return tuple(out)
