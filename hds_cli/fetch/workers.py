"""Child processes that turn bytes into text: started with the first page, gone with the fetcher.

The children run a module named by string (`fetch` and `extract` do not import each other). They are in a process group
of their own, so a Ctrl-C at the terminal does not reach them, and one signal ends them all. `multiprocessing` is not
used: its spawn and forkserver import the parent's main module again, which is slow here and wrong under a console
script.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from hds_cli import bounds
from hds_cli.errors import SourceError
from hds_cli.keys import without_secrets
from hds_cli.search.base import Reply

MODULE = "hds_cli.extract.worker"
START_SECONDS = 60.0  # until a child can read at all, on a machine that is busy or has just been started
GRACE = 0.5  # seconds beyond the child's own limit before it is given up
ARCHIVE_SECONDS = 60.0  # for one call: the next record may stand behind gigabytes of pictures
MAX_HEAD = 1 << 20
MAX_BODY = 4 * bounds.MAX_FILE_TEXT  # bytes of UTF-8
_PIECE = 1 << 18
_SIZES = struct.Struct("!II")


def count() -> int:
    """One worker a core this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


class _Worker:
    """One connection to one child."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, head: dict[str, Any], body: bytes | bytearray = b"") -> tuple[dict[str, Any], bytearray]:
        """Send a request to the child and return its answer, a head and a body.

        Raises:
            OSError, EOFError, ValueError: it is gone, or its answer is larger than any.
        """
        data = json.dumps(head).encode()
        self.writer.write(_SIZES.pack(len(data), len(body)) + data)
        # In pieces: the transport copies what the socket does not take at once.
        with memoryview(body) as view:
            for start in range(0, len(view), _PIECE):
                self.writer.write(view[start : start + _PIECE])
                await self.writer.drain()
        size, rest = _SIZES.unpack(await self.reader.readexactly(_SIZES.size))
        if size > MAX_HEAD or rest > MAX_BODY:
            raise ValueError("an answer of this size is none")
        answer: dict[str, Any] = json.loads(await self.reader.readexactly(size))
        return answer, await self._body(rest)

    async def _body(self, size: int) -> bytearray:
        """Bytes that may be many, gathered once: `readexactly` holds them twice."""
        body = bytearray()
        while len(body) < size:
            piece = await self.reader.read(min(_PIECE, size - len(body)))
            if not piece:
                raise EOFError
            body += piece
        return body

    def close(self) -> None:
        self.writer.transport.abort()


class Workers:
    """A pool of extraction processes.

    Args:
        number: how many pages are read at once.
        limit: seconds one page may take; then its process is killed by the kernel's timer and replaced.
    """

    def __init__(self, number: int | None = None, limit: float = 5.0, module: str = MODULE) -> None:
        self._number = number or count()
        self._limit = limit
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._idle: asyncio.Queue[_Worker | None] | None = None

    async def extract(self, body: bytes | bytearray, kind: str, charset: str | None, url: str) -> dict[str, Any]:
        """The text of a page: `title`, `text`, `author`, `date`, `seconds`, or a `reason` why there is none."""
        head = {"kind": kind, "charset": charset, "url": url, "limit": self._limit, "most": bounds.MAX_TEXT}
        return await self._read(head, body)

    async def extract_file(self, file: Path, kind: str, *, most: int, limit: float) -> dict[str, Any]:
        """The text of a file, which the child opens itself; as `extract`.

        Args:
            most: characters of text that are kept.
            limit: seconds.
        """
        head = {"kind": kind, "charset": None, "url": file.as_uri(), "file": str(file), "limit": limit, "most": most}
        return await self._read(head, b"")

    async def _read(self, head: dict[str, Any], body: bytes | bytearray) -> dict[str, Any]:
        idle = self.start()
        worker = await idle.get()
        keep: _Worker | None = None
        try:
            if worker is None:
                worker = await self._connect()
            async with asyncio.timeout(head["limit"] + GRACE):
                answer, text = await worker.ask(head, body)
            keep = worker
            return answer if answer.get("reason") else answer | {"text": text.decode("utf-8", "replace")}
        except TimeoutError:
            return {"reason": "extract_timeout", "seconds": head["limit"]}
        except (OSError, EOFError, ValueError):  # the child is gone: its timer, its memory limit or a crash in C
            return {"reason": "extract_killed"}
        finally:
            if worker is not None and keep is None:
                worker.close()
            idle.put_nowait(keep)

    def start(self) -> asyncio.Queue[_Worker | None]:
        """Start the processes, if they are not running; returns at once."""
        if self._idle is not None and self._process is not None and self._process.poll() is None:
            return self._idle
        if self._idle is None:
            self._idle = asyncio.Queue()
            for _ in range(self._number):
                self._idle.put_nowait(None)  # connected when first needed
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _program(self._module)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(os.environ),
                process_group=0,
            )
        self._control = ours
        return self._idle

    async def _connect(self) -> _Worker:
        """A child that is ready: what it takes to start is not of the first page's time."""
        if self._control is None:
            raise OSError("no workers")
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
        ours.setblocking(False)
        worker = _Worker(*await asyncio.open_connection(sock=ours, limit=1 << 20))
        try:
            async with asyncio.timeout(START_SECONDS):
                await worker.reader.readexactly(1)
        except BaseException:
            worker.close()
            raise
        return worker

    async def open(self, factory: str, *files: str) -> Archive:
        """An archive in a process of its own, beside those that read pages.

        Args:
            factory: `module:name`; called there with `files`.

        Raises:
            SourceError: it cannot be opened.
        """
        self.start()
        try:
            archive = Archive(await self._connect())
        except (OSError, EOFError, TimeoutError) as exc:
            raise _killed() from exc
        await archive.ask({"open": factory, "args": files})
        return archive

    def close(self) -> None:
        """Kill them all, also in the middle of a page; returns at once."""
        if self._idle is not None:
            while not self._idle.empty():
                if (worker := self._idle.get_nowait()) is not None:
                    worker.close()
            self._idle = None
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


class Archive:
    """A file of pages, parsed in a child: what is wrong with the file costs the child alone."""

    def __init__(self, worker: _Worker) -> None:
        self._worker = worker
        self._turn = asyncio.Lock()
        self._gone = False

    async def call(self, method: str, *args: Any) -> Reply:
        """Call a method of the archive and return its result; calls are answered one after the other.

        Raises:
            SourceError: as the method raised it; `archive_killed`: it took too much time or memory, now or before.
        """
        return await self.ask({"call": method, "args": args})

    async def ask(self, head: dict[str, Any]) -> Reply:
        """Send a request and wait for its answer; raises as `call` does."""
        async with self._turn:
            if self._gone:
                raise _killed()
            answered = False
            try:
                async with asyncio.timeout(ARCHIVE_SECONDS + GRACE):
                    answer, body = await self._worker.ask(head | {"limit": ARCHIVE_SECONDS})
                answered = True
            except (OSError, EOFError, ValueError, TimeoutError) as exc:
                raise _killed() from exc
            finally:
                if not answered:  # one that was cancelled leaves half an answer in the pipe
                    self.close()
        if error := answer.get("error"):
            raise SourceError(str(error["message"]), code=str(error["code"]), hint=error["hint"])
        if answer.get("reason"):
            self.close()
            raise _killed()
        return Reply(answer["value"], bytes(body))

    def close(self) -> None:
        """End the child; a later call fails."""
        self._gone = True
        self._worker.close()


def _killed() -> SourceError:
    return SourceError("reading the archive took too much time or memory", code="archive_killed")


def environment(environ: Any) -> dict[str, str]:
    """The environment of a child: no API keys, one thread for numeric libraries."""
    return without_secrets(environ) | {
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": environ.get("PYTHONDONTWRITEBYTECODE", ""),
    }


def _program(module: str) -> str:
    """Appended, not put first: a package folder ahead of the standard library could shadow it."""
    root = str(Path(__file__).resolve().parents[2])
    return f"import sys; sys.path.append({root!r}); from {module} import main; main()"
