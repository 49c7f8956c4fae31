"""A loopback web server for tests: a function per path, raw bytes allowed; and a network that records what is dialled."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

Reply = bytes | Callable[["Request"], None]
PAGE = (
    b"<!DOCTYPE html><html><head><title>Fine</title></head><body><article><h1>Fine</h1><p>"
    + b"This page is an ordinary page with a paragraph of text that is long enough to be found. " * 8
    + b"</p></article></body></html>"
)


def answer(body: bytes = PAGE, status: str = "200 OK", kind: str = "text/html; charset=utf-8", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Request:
    """One request: its path and headers, and the socket to answer on."""

    def __init__(self, connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        self.connection = connection
        self.path = path
        self.headers = headers

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)


class Web:
    """Serves until closed; `seen` are the paths and headers in order, `bodies` what came with them, `times` when."""

    def __init__(self) -> None:
        self.routes: dict[str, Reply] = {"/robots.txt": answer(b"not here", "404 Not Found", "text/plain")}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.times: list[float] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._socket.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def paths(self) -> list[str]:
        return [path for path, _ in self.seen if path != "/robots.txt"]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, IndexError):  # IndexError: not HTTP, TLS say
            stream = connection.makefile("rb")
            while line := stream.readline():
                path = line.split()[1].decode("latin-1")
                headers = {}
                while (field := stream.readline().decode("latin-1").strip()) != "":
                    name, _, value = field.partition(":")
                    headers[name.lower()] = value.strip()
                self.bodies.append(stream.read(int(headers.get("content-length") or 0)))
                self.times.append(time.monotonic())
                self.seen.append((path, headers))
                reply = self.routes.get(path.partition("?")[0], answer(b"no", "404 Not Found"))
                if callable(reply):
                    reply(Request(connection, path, headers))
                    return
                connection.sendall(reply)
                if b"\r\nconnection: close" in reply[:2000].lower():
                    return

    def close(self) -> None:
        self.closed.set()
        self._socket.close()


@contextlib.contextmanager
def web() -> Iterator[Web]:
    server = Web()
    try:
        yield server
    finally:
        server.close()


class Network:
    """An httpcore network backend that records every address, and dials only what is mapped to a test server."""

    def __init__(self, routes: dict[str, Web] | None = None) -> None:
        self.dialled: list[str] = []
        self._routes = routes or {}

    async def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        import httpcore

        self.dialled.append(host)
        if host not in self._routes:
            raise httpcore.ConnectError("no route")
        stream = await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self._routes[host].port)
        return _Disguised(stream, host)

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a Unix socket")

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("httpcore retries are off")


class _Disguised:
    """A loopback stream that names the address it was asked for as its peer."""

    def __init__(self, stream: Any, peer: str) -> None:
        self._stream = stream
        self._peer = peer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def get_extra_info(self, info: str) -> Any:
        if info == "server_addr":
            return (self._peer, 80)
        if info == "client_addr":
            return ("192.0.2.1", 40000)
        return self._stream.get_extra_info(info)
