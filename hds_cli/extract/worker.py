"""The process that reads pages and archives: bytes in, text out, in children that the kernel stops when they are late.

`main` is a parent that has trafilatura loaded and forks one child a connection it is handed, so that a child that was
killed is back within milliseconds. Each child sets an interval timer before a page and leaves SIGALRM at its default:
even code stuck inside libxml2 ends on time, whether or not anybody watches. Frames on a connection: two lengths, a JSON
head, a body; never pickle, since what comes back was near hostile bytes. The body of an answer is the page's text. One
byte before the first frame says that the child is there.

A child reads pages (`kind`), or opens one archive (`open`) and answers calls of its methods (`call`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
import time
from typing import Any

SIZES = struct.Struct("!II")
MEMORY = 1 << 30


def main() -> None:
    """Serve until the control socket (standard input) closes; then end the whole process group."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    _preload()
    control = socket.socket(fileno=os.dup(0))
    children: set[int] = set()
    try:
        while True:
            message, handles, _, _ = socket.recv_fds(control, 16, 1)
            if not message:
                break
            _reap(children)
            for handle in handles:
                if (pid := os.fork()) == 0:
                    control.close()
                    _child(handle)
                children.add(pid)
                os.close(handle)
    except OSError:
        pass
    for pid in children:
        _kill(pid)


def _preload() -> None:
    # The slow imports, paid once and shared by every child. gc.freeze keeps their pages shared after the fork.
    import gc

    from hds_cli.extract import page

    page.preload()
    gc.collect()
    gc.freeze()


def _reap(children: set[int]) -> None:
    while children:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        children.discard(pid)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _child(handle: int) -> None:
    code = 1
    try:
        connection = socket.socket(fileno=handle)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        serve(connection)
        code = 0
    except BaseException:
        code = 1
    finally:
        os._exit(code)


def _limit_memory(most: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # not on every system; the timer is


def _size(file: str) -> int:
    """The bytes of an archive, which is mapped into memory."""
    try:
        return os.stat(file).st_size
    except OSError:
        return 0


def serve(connection: socket.socket) -> None:
    """Answer requests on `connection` until it closes; an archive may be mapped beside the memory for all of them."""
    connection.sendall(b"+")
    stream = connection.makefile("rb", buffering=1 << 16)
    desk = _Desk()
    limited = False
    while len(sizes := stream.read(SIZES.size)) == SIZES.size:
        head_size, body_size = SIZES.unpack(sizes)
        head: dict[str, Any] = json.loads(stream.read(head_size))
        if not limited:
            _limit_memory(MEMORY + 2 * sum(map(_size, head.get("args", ()))))
            limited = True
        body = stream.read(body_size)
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, float(head["limit"]))
        answer, sent = _answer(desk, head, body)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answer["seconds"] = time.perf_counter() - start
        data = json.dumps(answer, ensure_ascii=True).encode()
        connection.sendall(SIZES.pack(len(data), len(sent)) + data)
        connection.sendall(sent)


def _answer(desk: _Desk, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """The answer to one request; one bad page or record is one failed page or record."""
    from hds_cli.errors import HdsError

    try:
        return desk.page(head, body) if "kind" in head else desk.archive(head)
    except MemoryError:
        return {"reason": "extract_memory"}, b""
    except RecursionError:
        return {"reason": "extract_failed"}, b""
    except HdsError as exc:
        return {"error": {"message": exc.message, "code": exc.error_code, "hint": exc.hint}}, b""
    except Exception as exc:  # the class is enough to find the bug again
        return {"reason": "extract_failed", "detail": type(exc).__name__}, b""


class _Desk:
    """The jobs of a child, and the archive that it was asked to open."""

    def __init__(self) -> None:
        self._archive: Any = None

    def page(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """A page's bytes, or a file, read: title and the like, and the text as the answer's body."""
        from hds_cli.extract.page import extract

        if "file" in head:
            with open(head["file"], "rb") as file:
                body = file.read()
        answer = extract(body, str(head["kind"]), head.get("charset"), str(head["url"]), int(head["most"]))
        return answer, answer.pop("text", "").encode("utf-8", "replace")

    def archive(self, head: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """An archive opened (`module:factory`), or a method of it called; bytes that one returns last are the body."""
        if "open" in head:
            import importlib

            module, _, name = str(head["open"]).partition(":")
            self._archive = getattr(importlib.import_module(module), name)(*head["args"])
            return {"value": None}, b""
        value = getattr(self._archive, str(head["call"]))(*head["args"])
        if isinstance(value, tuple) and value and isinstance(value[-1], bytes):
            return {"value": value[:-1]}, value[-1]
        return {"value": value}, b""


if __name__ == "__main__":
    if sys.path and sys.path[0] in ("", "."):
        sys.path.pop(0)
    main()
