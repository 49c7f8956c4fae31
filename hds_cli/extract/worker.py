"""The process that reads pages: bytes in, text out, in children that the kernel stops when they take too long.

`main` is a parent that has trafilatura loaded and forks one child a connection it is handed, so that a child that was
killed is back within milliseconds. Each child sets an interval timer before a page and leaves SIGALRM at its default:
even code stuck inside libxml2 ends on time, whether or not anybody watches. Frames on a connection: two lengths, a JSON
head, a body; never pickle, since what comes back was near hostile bytes.
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
        _limit_memory()
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


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # not on every system; the timer is


def serve(connection: socket.socket) -> None:
    """Answer requests on `connection` until it closes."""
    from hds_cli.extract.page import extract

    stream = connection.makefile("rb", buffering=1 << 16)
    while len(sizes := stream.read(SIZES.size)) == SIZES.size:
        head_size, body_size = SIZES.unpack(sizes)
        head: dict[str, Any] = json.loads(stream.read(head_size))
        body = stream.read(body_size)
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, float(head["limit"]))
        try:
            answer = extract(body, str(head["kind"]), head.get("charset"), str(head["url"]))
        except MemoryError:
            answer = {"reason": "extract_memory"}
        except RecursionError:
            answer = {"reason": "extract_failed"}
        except Exception as exc:  # one bad page is one failed page; its class is enough to find it again
            answer = {"reason": "extract_failed", "detail": type(exc).__name__}
        signal.setitimer(signal.ITIMER_REAL, 0)
        answer["seconds"] = time.perf_counter() - start
        data = json.dumps(answer, ensure_ascii=True).encode()
        connection.sendall(SIZES.pack(len(data), 0) + data)


if __name__ == "__main__":
    if sys.path and sys.path[0] in ("", "."):
        sys.path.pop(0)
    main()
