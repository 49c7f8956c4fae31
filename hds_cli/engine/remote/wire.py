"""HTTP to the model's own server: JSON in and out, streams of events, nothing followed, everything bounded.

The standard library's client serves here: it blocks, as `generate` does, and another thread can end a request by
shutting its socket down.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from hds_cli import egress, jsons
from hds_cli.errors import ConfigError, ModelUnusable
from hds_cli.keys import Secret

CONNECT_SECONDS = 10.0
QUICK = 30.0  # seconds for an answer that no model writes
SILENCE = 600.0  # seconds without a byte: a long prompt on a slow machine takes minutes to read
MAX_ANSWER = 16 << 20  # bytes of one JSON answer; a line of a stream may be as long, as llama-server repeats the prompt
_TRIES = 4
_WAITS = (0.5, 1.0, 2.0)  # seconds before another try
_LONGEST_WAIT = 10.0
_BUSY = (429, 502, 503, 504)
_MOST_IDLE = 16  # connections kept for the next request
HINT = "HDS_OPENAI_URL=http://HOST:PORT   (see: hds config show)"
_LOOK = "hds doctor   looks at the engine"


class Refused(ModelUnusable):
    """The server answered with an error.

    Args:
        status: of HTTP.
    """

    def __init__(self, message: str, status: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, code="model_server")
        self.status = status


class Aborted(Exception):
    """The call was ended from another thread."""


class Call:
    """One request after another of one session; `abort` ends the present one, and those that come, until `resume`."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.late = False
        self._socket: socket.socket | None = None

    def abort(self) -> None:
        self.stopped.set()
        self._shut()

    def resume(self) -> None:
        self.stopped.clear()

    def holds(self, used: socket.socket | None) -> None:
        """The socket that an abort, or the end of the time, shuts down; None: no more."""
        self._socket = used
        if used is not None and (self.stopped.is_set() or self.late):
            self._shut()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """The request has so many seconds in all, however it trickles."""
        self.late = False
        alarm = threading.Timer(seconds, self._expire)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _expire(self) -> None:
        self.late = True
        self._shut()

    def _shut(self) -> None:
        used = self._socket
        if used is not None:
            with contextlib.suppress(OSError):
                used.shutdown(socket.SHUT_RDWR)


class Wire:
    """The server at one address.

    Args:
        url: its address, with or without the `/v1` of the OpenAI interface.
        key: sent as a bearer token to this address alone.
        silence: seconds without a byte after which it is given up.

    Raises:
        ConfigError: the address is none.
    """

    def __init__(self, url: str, key: Secret | None = None, *, silence: float = SILENCE) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or parts.username:
            raise ConfigError("openai.url is no address of a server", hint="such as http://127.0.0.1:8080")
        self._secure = parts.scheme == "https"
        self.host, self._port = parts.hostname, port or (443 if self._secure else 80)
        self._base = parts.path.rstrip("/").removesuffix("/v1")
        self._key, self._silence = key, silence
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._unnoted = [0, 0]  # requests and bytes from before any run

    @property
    def local(self) -> bool:
        """True when the server is on this machine, as its address says; no name is looked up for that."""
        return is_local(self.host)

    def ask(self, path: str, body: Mapping[str, Any] | None = None, call: Call | None = None) -> Any:
        """The decoded answer to a GET, or a POST of `body`.

        Raises:
            ModelUnusable: it cannot be reached, refuses, or does not answer with JSON in time.
            Aborted: `call` was ended.
        """
        call = call or Call()
        with call.within(min(QUICK, self._silence)), self._sent(path, body, call) as response:
            data = b"".join(self._chunks(response, MAX_ANSWER, call))
        try:
            return jsons.loads(data)
        except ValueError:
            raise self._unusable("did not answer with JSON") from None

    def events(self, path: str, body: Mapping[str, Any], call: Call, *, seconds: float, most: int) -> Iterator[Any]:
        """The events of a streamed answer, decoded; a plain JSON answer is one event.

        Args:
            seconds, most: what the whole answer may take, in time and bytes.

        Raises:
            ModelUnusable, Aborted: as `ask` does.
        """
        with call.within(seconds), self._sent(path, body, call) as response:
            plain = "event-stream" not in str(response.headers.get("content-type", ""))
            for line in _lines(self._chunks(response, most, call), MAX_ANSWER):
                if line is None:
                    raise self._unusable(f"wrote a line of more than {MAX_ANSWER >> 20} MiB")
                if plain and line.lstrip().startswith(b"{"):
                    line = b"data:" + line
                if not line.startswith((b"data:", b"error:")):
                    continue  # an empty line, a comment, a field of no use here
                data = line.partition(b":")[2].strip()
                if data == b"[DONE]":
                    break
                try:
                    event = jsons.loads(data)
                except ValueError:
                    raise self._unusable("wrote an event that is no JSON") from None
                if not isinstance(event, dict) or event.get("error") or line.startswith(b"error:"):
                    raise self._unusable(f"failed while it wrote: {_said(event)}")
                yield event

    def close(self) -> None:
        """Give the connections back that no request uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    # --- one request ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _sent(self, path: str, body: Mapping[str, Any] | None, call: Call) -> Iterator[http.client.HTTPResponse]:
        connection, response = self._answered(path, body, call)
        whole = False
        try:
            self._check(response, path, call)
            yield response
            whole = response.isclosed() and not response.will_close
        except (OSError, http.client.HTTPException) as exc:
            raise self._fault(exc, call) from None
        finally:
            call.holds(None)
            with self._lock:
                whole = whole and len(self._idle) < _MOST_IDLE and not call.late
                if whole:
                    self._idle.append(connection)
            if not whole:
                response.close()
                connection.close()

    def _answered(
        self, path: str, body: Mapping[str, Any] | None, call: Call
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """The beginning of an answer; what is busy, starting or was just closing the connection is asked again."""
        for wait in (*_WAITS, None):
            if call.stopped.is_set():
                raise Aborted
            connection = self._connection()
            try:
                if getattr(connection, "sock", None) is None:
                    connection.connect()
                connection.sock.settimeout(self._silence)
                call.holds(connection.sock)
                data = None if body is None else json.dumps(body).encode()
                self._note(requests=1)
                connection.request("GET" if data is None else "POST", self._base + path, data, self._headers(data))
                response = connection.getresponse()
                if response.status not in _BUSY or wait is None:
                    return connection, response
                wait = _asked_wait(response) or wait
                connection.close()
            except (OSError, http.client.HTTPException) as exc:
                connection.close()
                self.close()  # what was kept as long is as dead, and would take the tries one by one
                if wait is None or call.late or not _passing(exc):
                    raise self._fault(exc, call) from None
            call.holds(None)
            if call.stopped.wait(wait):
                raise Aborted
        raise AssertionError("the last try returns or raises")

    def _connection(self) -> http.client.HTTPConnection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        host = "127.0.0.1" if self.host == "localhost" else self.host  # which is no name to look up
        if not self._secure:
            return http.client.HTTPConnection(host, self._port, timeout=CONNECT_SECONDS)
        return http.client.HTTPSConnection(self.host, self._port, timeout=CONNECT_SECONDS)

    def _headers(self, data: bytes | None) -> dict[str, str]:
        headers = {"Accept": "application/json, text/event-stream", "Accept-Encoding": "identity"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return headers

    def _check(self, response: http.client.HTTPResponse, path: str, call: Call) -> None:
        status = response.status
        if status == 200:
            return
        if 300 <= status < 400:
            raise Refused(f"{self.host} sends elsewhere (HTTP {status}), which is not followed", status, hint=HINT)
        said = ""
        with contextlib.suppress(ModelUnusable, ValueError):
            said = ": " + _said(jsons.loads(b"".join(self._chunks(response, 1 << 16, call))))
        raise Refused(f"{self.host} refuses {path} (HTTP {status}){said}", status, hint=_hint_for(status))

    def _chunks(self, response: http.client.HTTPResponse, most: int, call: Call) -> Iterator[bytes]:
        """The body as it comes.

        Raises:
            ModelUnusable: it is longer than `most` bytes.
        """
        size = 0
        while chunk := response.read1(1 << 16):
            size += len(chunk)
            self._note(size=len(chunk))
            if size > most:
                raise self._unusable("writes on without an end")
            yield chunk
        if call.late or call.stopped.is_set():
            raise OSError("shut down")

    def _fault(self, exc: Exception, call: Call) -> Exception:
        if call.stopped.is_set():
            return Aborted()
        if call.late or isinstance(exc, TimeoutError):
            return self._unusable("takes too long to answer")
        if isinstance(exc, ConnectionRefusedError):
            return self._unusable("is not there: the connection was refused")
        if isinstance(exc, socket.gaierror):
            return self._unusable("has no address")
        if isinstance(exc, http.client.HTTPException):
            return self._unusable("broke off its answer, or speaks no HTTP")
        return self._unusable(f"cannot be reached ({getattr(exc, 'strerror', None) or 'broken off'})")

    def _unusable(self, what: str) -> ModelUnusable:
        return unusable(f"{self.host}:{self._port} {what}", HINT)

    def _note(self, *, requests: int = 0, size: int = 0) -> None:
        """Count for the run at work. What was asked before any run counts for the first."""
        with self._lock:
            self._unnoted[0] += requests
            self._unnoted[1] += size
            if egress.note(self.host, requests=self._unnoted[0], size=self._unnoted[1]):
                self._unnoted = [0, 0]


def unusable(what: str, hint: str = _LOOK) -> ModelUnusable:
    """The error of a server that does something else than it was asked for."""
    return ModelUnusable(f"the model's server {what}", hint=hint, code="model_server")


def is_local(host: str) -> bool:
    """True for `localhost` and loopback addresses."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _lines(chunks: Iterator[bytes], most: int) -> Iterator[bytes | None]:
    """The lines of a body; None and the end where one is longer than `most` bytes."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            yield b"".join((*parts, line))
            parts, size = [], 0
        parts.append(rest)
        size += len(rest)
        if size > most:
            yield None
            return
    if size:
        yield b"".join(parts)


def _passing(exc: Exception) -> bool:
    """True for what may go away by itself: a server that starts, or that closed a connection it had kept."""
    return isinstance(exc, ConnectionError | http.client.BadStatusLine)


def _asked_wait(response: http.client.HTTPResponse) -> float | None:
    asked = str(response.headers.get("retry-after", "")).strip()
    return min(float(asked), _LONGEST_WAIT) if asked.isdecimal() and len(asked) < 6 else None


def _hint_for(status: int) -> str:
    return "HDS_OPENAI_API_KEY=…, or openai in keys.toml" if status in (401, 403) else _LOOK


def _said(event: object) -> str:
    """The message of an error document, on one line."""
    error = event.get("error") if isinstance(event, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    message = message or (event.get("message") or event.get("detail") if isinstance(event, dict) else None)
    return " ".join(str(message or "no reason given")[:1000].split())[:300]


__all__ = ["HINT", "Aborted", "Call", "Refused", "Wire", "is_local", "unusable"]
