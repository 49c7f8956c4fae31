"""Is this address public? Decided where the socket is opened, for the address that is dialled.

A check of the URL's host string stops little: of 150 spellings that make httpx dial a non-public address, 79 pass one.
So the name is resolved once, every address it has is looked up in the table below, the numeric address is dialled, and
the connected peer is looked at again. URL, Host header and TLS name keep the host's name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hds_cli.errors import ConfigError
from hds_cli.threads import in_daemon

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

PORTS = frozenset({80, 443, 8080, 8443})
DNS_SECONDS = 2.0

# IANA special-purpose registries (RFC 6890 and its updates), 2026; ipaddress.is_global differs between Python versions.
_V4 = """0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
168.63.129.16/32"""  # the last: Azure's host endpoint, public by number only
# Everything outside 2000::/3 is refused (but mapped IPv4 and NAT64, which are judged by the IPv4 inside), and of it:
_V6 = "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
_NETS4 = tuple(ipaddress.IPv4Network(n) for n in _V4.split())
_NETS6 = tuple(ipaddress.IPv6Network(n) for n in _V6.split())
_GLOBAL6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")

# RFC 6761, 6762, 8375, 9476 and what clouds and routers use; the resolver would often know them on a private network.
_SPECIAL = ("localhost", "local", "internal", "localdomain", "home.arpa", "lan", "intranet", "corp", "onion", "alt")
_BAD_URL = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


class Blocked(Exception):
    """An address hds does not go to; `reason` is the page's machine word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


def parse_address(text: str) -> IPAddress | None:
    """The address, or None if `text` is a name. A scoped address (`fe80::1%eth0`) is link-local: never public."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def unwrapped(address: IPAddress) -> IPAddress:
    """The IPv4 address inside a mapped or NAT64 one (IPv6-only networks need NAT64); else the address itself."""
    if isinstance(address, ipaddress.IPv6Address) and (address in _NAT64 or address in _MAPPED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(text: str) -> bool:
    """True when `text` is the number of an address on the public internet."""
    address = parse_address(text)
    if address is None or "%" in text:
        return False
    address = unwrapped(address)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _NETS4)
    return address in _GLOBAL6 and not any(address in net for net in _NETS6)


@dataclass(frozen=True)
class _Exemption:
    """One entry of `fetch.allow`: a host name or a network, for one port or every port."""

    host: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None

    def names(self, host: str, port: int) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is None:
            return self.host == host
        address = parse_address(host)
        return address is not None and self.holds(address)

    def holds(self, address: IPAddress) -> bool:
        address = unwrapped(address)
        return self.network is not None and address.version == self.network.version and address in self.network


def _parse_exemption(entry: str) -> _Exemption:
    text = entry.strip().lower()
    host, port = text, None
    if match := re.fullmatch(r"\[([^\]]+)\](/\d+)?(?::(\d+))?", text):
        host, port = match[1] + (match[2] or ""), int(match[3]) if match[3] else None
    elif text.count(":") == 1:
        host, _, digits = text.partition(":")
        port = int(digits) if digits.isdigit() else -1
    try:
        network = ipaddress.ip_network(host, strict=False)
    except ValueError:
        network = None
        if not host or set(host) & set("/:[]@"):
            port = -1
    if port is not None and not 0 < port < 65536:
        raise ConfigError(
            f"fetch.allow: {entry!r} is not host[:port] or CIDR[:port]", hint="for example 127.0.0.1:8080"
        )
    return _Exemption(host.rstrip("."), network, port)


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, looked up in a daemon thread with its own time limit, which can hold nothing up."""
    try:
        async with asyncio.timeout(DNS_SECONDS):
            addresses = await in_daemon(socket.getaddrinfo, host, port, socket.AF_UNSPEC, socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as exc:
        raise Blocked("dns", f"{host}: no address") from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in addresses))


class Policy:
    """The addresses that may be dialled.

    Args:
        allow: entries of `fetch.allow`.
        ports: further ports for public hosts.
        hosts: names and numbers that may be anything on any port: what the user configured as a source's own API.
        offline: nothing at all.
    """

    def __init__(
        self,
        allow: Iterable[str] = (),
        ports: Iterable[int] = (),
        hosts: Iterable[str] = (),
        *,
        offline: bool = False,
    ) -> None:
        self._allow = tuple(_parse_exemption(entry) for entry in allow)
        self._ports = PORTS | frozenset(ports)
        self._hosts = frozenset(_plain(host) for host in hosts)
        self.offline = offline

    def excepted(self, host: str, port: int) -> bool:
        """True when the user allowed this very host (by name, number or network) explicitly."""
        host = _plain(host)
        return host in self._hosts or any(entry.names(host, port) for entry in self._allow)

    def check_url(self, scheme: str, host: str, port: int | None, userinfo: bool) -> int:
        """Refuse what can be refused before a look-up; returns the port to dial.

        Raises:
            Blocked: reason `offline`, or as `check_name`.
        """
        if self.offline:
            raise Blocked("offline")
        return self.check_name(scheme, host, port, userinfo)

    def check_name(self, scheme: str, host: str, port: int | None, userinfo: bool) -> int:
        """Refuse what an address alone shows, also for a page that is here already; returns the port to dial.

        Raises:
            Blocked: reason `scheme`, `bad_url`, `userinfo`, `port`, `special_name` or `private_address`.
        """
        if scheme not in ("http", "https"):
            raise Blocked("scheme", f"scheme {scheme or '(none)'}")
        if not host:
            raise Blocked("bad_url", "no host")
        if userinfo:
            raise Blocked("userinfo", "an address with a user name or password")
        number = port or (443 if scheme == "https" else 80)
        if self.excepted(host, number):
            return number
        if number not in self._ports:
            raise Blocked("port", f"port {number}")
        address = parse_address(host)
        if address is not None and not is_public(host) and not self._in_network(address, number):
            raise Blocked("private_address", host)
        name = _plain(host)
        if address is None and _is_special(name):
            raise Blocked("special_name", name)
        return number

    def check_addresses(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Refuse a name when any one of its addresses is not public.

        Raises:
            Blocked: reason `dns` (no address) or `private_address`.
        """
        if self.offline:
            raise Blocked("offline")
        if not addresses:
            raise Blocked("dns", f"{host}: no address")
        if self.excepted(host, port):
            return
        for text in addresses:
            address = parse_address(text)
            if not is_public(text) and (address is None or not self._in_network(address, port)):
                raise Blocked("private_address", f"{host} is {text}")

    def _in_network(self, address: IPAddress, port: int) -> bool:
        return any(entry.port in (None, port) and entry.holds(address) for entry in self._allow)


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def _is_special(name: str) -> bool:
    """Dotless and special-use names. `127.1` and `0x7f000001` are left to the resolver, which knows every spelling."""
    if "." not in name:
        return not re.fullmatch(r"\d+|0x[0-9a-f]*", name)
    return any(name == suffix or name.endswith("." + suffix) for suffix in _SPECIAL)


def tidy_url(text: str) -> str:
    """The URL without blanks around it and without fragment.

    Raises:
        Blocked: `bad_url`: it holds control characters, blanks or a backslash, which parsers read differently
            (httpx and WHATWG disagree on the host of 44 of the http(s) URLs in web-platform-tests), or is too long.
    """
    url = text.strip(" \t\r\n\f").partition("#")[0]
    head, mark, query = url.partition("?")
    scheme, slashes, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    if len(url) > 8192 or not slashes or _BAD_URL.search(authority + scheme):
        raise Blocked("bad_url" if len(url) > 8192 or slashes else "scheme", "not an address of a page")
    # A blank in the path of a search result is a sloppy author, not an attack: it is sent as %20.
    tail = (slash + path + mark + query).replace(" ", "%20")
    if _BAD_URL.search(tail.partition("?")[0]) or re.search(r"[\x00-\x1f\x7f]", tail):
        raise Blocked("bad_url", "control characters in the address")
    return scheme.lower() + "://" + authority + tail


class GuardBackend:
    """An httpcore network backend that dials only what its policy allows.

    Not a subclass of httpcore's abstract class, so that this file needs no import of it; a test pins the fit.
    """

    def __init__(self, policy: Policy, inner: Any, lookup: Resolve = resolve) -> None:
        self._policy = policy
        self._inner = inner
        self._lookup = lookup

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> Any:
        if self._policy.offline:
            raise Blocked("offline")
        literal = parse_address(host)
        addresses = [host] if literal is not None else await self._lookup(host, port)
        self._policy.check_addresses(host, port, addresses)
        stream = await self._dial(addresses, port, timeout, local_address, socket_options)
        peer = _number(stream.get_extra_info("server_addr"))
        own = _number(stream.get_extra_info("client_addr"))
        try:
            self._policy.check_addresses(host, port, [peer])
            if peer == own and not self._policy.excepted(host, port):
                raise Blocked("private_address", f"{host} is this machine")
        except Blocked:
            await stream.aclose()
            raise
        return stream

    async def _dial(
        self, addresses: list[str], port: int, seconds: float | None, local_address: str | None, options: Any
    ) -> Any:
        """IPv4 first, then the rest: without happy eyeballs a broken IPv6 route would cost the whole time limit."""
        order = sorted(addresses, key=lambda a: ":" in a)[:3]
        for number, address in enumerate(order):
            try:
                return await self._inner.connect_tcp(address, port, seconds, local_address, options)
            except Exception as exc:  # httpcore's ConnectError and ConnectTimeout; the last one is the caller's
                if number == len(order) - 1 or not type(exc).__name__.startswith("Connect"):
                    raise
        raise Blocked("dns", "no address")

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> Any:
        raise Blocked("scheme", "a Unix socket")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _number(address: Any) -> str:
    return str(address[0]) if isinstance(address, tuple) else str(address)
