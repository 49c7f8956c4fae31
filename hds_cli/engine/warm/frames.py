"""Messages over a socket: a length in four bytes, then JSON."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import Any

MOST = 64 << 20  # bytes of a message: the longest text that a session is given is far shorter
_LENGTH = struct.Struct("!I")


class Frames:
    """One end of a connection. Any thread may send; one receives."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket, self._lock = connected, threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message, whole.

        Raises:
            OSError: the other end is gone.
        """
        data = json.dumps(message).encode()
        if len(data) > MOST:
            raise OSError("the message is too long")
        with self._lock:
            self._socket.sendall(_LENGTH.pack(len(data)) + data)

    def receive(self, seconds: float | None = None) -> dict[str, Any] | None:
        """The next message; None: the other end is gone, said nothing in so many seconds, or speaks another way."""
        try:
            self._socket.settimeout(seconds)
            size = _LENGTH.unpack(self._exactly(_LENGTH.size))[0]
            message = json.loads(self._exactly(size)) if size <= MOST else None
        except (OSError, ValueError, EOFError, RecursionError):
            return None
        return message if isinstance(message, dict) else None

    def close(self) -> None:
        """End the connection, also for a thread that waits at it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._socket.recv(min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
