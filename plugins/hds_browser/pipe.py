"""A Chromium process and the pipe to it: messages of JSON, each ended by a zero byte."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

Listener = Callable[[str, dict[str, Any]], None]
MOST = 64 << 20  # bytes of a message
_FLAGS = (
    "--headless", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu", "--no-pings",
    "--disable-dev-shm-usage", "--mute-audio", "--disable-breakpad", "--disable-default-apps",
    # No connection of its own: names are not looked up, and the proxy's port is one that nothing can listen at.
    "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:0", "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--dns-prefetch-disable", "--disable-quic",
)  # fmt: skip


class BrowserError(Exception):
    """The browser has gone, or does not do what it was asked."""


class Pipe:
    """Calls a browser and hears what it tells, session by session.

    Args:
        process: the browser's number.
        reader, write: what comes from it, and where messages to it are written.
        folder: what it keeps on disk; removed at the end.
    """

    def __init__(
        self,
        process: int,
        reader: asyncio.StreamReader,
        write: asyncio.WriteTransport,
        folder: str,
    ) -> None:
        self._process, self._write, self._folder = process, write, folder
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: dict[str, Listener] = {}
        self.closed = False
        self._task = asyncio.create_task(self._read(reader))

    async def call(self, method: str, session: str | None = None, **values: Any) -> dict[str, Any]:
        """The result of a method.

        Raises:
            BrowserError: it failed, or the browser has gone.
        """
        if self.closed:
            raise BrowserError("the browser has gone")
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": values}
        if session is not None:
            message["sessionId"] = session
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._write.write(json.dumps(message).encode() + b"\0")
        try:
            return await self._waiting[number]
        finally:
            self._waiting.pop(number, None)

    def listen(self, session: str, listener: Listener | None) -> None:
        """Have the events of a session told to a listener; None: to nobody."""
        if listener is None:
            self._listeners.pop(session, None)
        else:
            self._listeners[session] = listener

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                self._take(json.loads((await reader.readuntil(b"\0"))[:-1]))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError):
            pass
        finally:
            self.closed = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(BrowserError("the browser has gone"))

    def _take(self, message: dict[str, Any]) -> None:
        future = self._waiting.get(message.get("id", 0))
        if future is not None and not future.done():
            if "error" in message:
                future.set_exception(BrowserError(str(message["error"].get("message"))))
            else:
                future.set_result(message.get("result", {}))
        elif "method" in message and (listener := self._listeners.get(message.get("sessionId", ""))):
            listener(message["method"], message.get("params", {}))

    async def close(self) -> None:
        """End the browser and all its processes, and remove what it kept."""
        self.closed = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            await asyncio.to_thread(os.waitpid, self._process, 0)
        self._write.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


async def launched(program: str, more: Sequence[str] = ()) -> Pipe:
    """A browser that was started, in a process group of its own."""
    loop = asyncio.get_running_loop()
    folder = tempfile.mkdtemp(prefix="hds-browser-")
    (theirs_in, ours_out), (ours_in, theirs_out) = _pipe_of(0), _pipe_of(1)
    try:
        process = _spawned([program, *_FLAGS, *more], folder, theirs_in, theirs_out)
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    reader = asyncio.StreamReader(limit=MOST)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb", 0))
    write, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(ours_out, "wb", 0))
    return Pipe(process, reader, write, folder)


def _pipe_of(end: int) -> tuple[int, int]:
    """A pipe whose one end (0: where it is read) has a number above those that it gets there."""
    import fcntl

    ends = list(os.pipe())
    low, ends[end] = ends[end], fcntl.fcntl(ends[end], fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(low)
    return ends[0], ends[1]


def _spawned(command: list[str], folder: str, reads: int, writes: int) -> int:
    """The number of the browser's process, which reads from 3 and writes to 4."""
    # Chromium refuses to run as root within its sandbox.
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    ends = [(os.POSIX_SPAWN_DUP2, reads, 3), (os.POSIX_SPAWN_DUP2, writes, 4)]
    command += [*root, f"--user-data-dir={folder}", "about:blank"]
    return os.posix_spawn(command[0], command, os.environ, file_actions=[*nothing, *ends], setpgroup=0)
