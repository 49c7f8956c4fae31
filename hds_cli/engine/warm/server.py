"""The process that keeps a model warm: it answers the calls of one command at a time, until nobody has asked for long.

A command that comes while another is served loads the model itself, so that neither changes what the other writes.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hds_cli import config, locks, paths
from hds_cli.config import Settings
from hds_cli.engine.base import Counter, Engine, ModelSpec, Sampling, Segment, Session
from hds_cli.engine.opening import find_model, open_engine
from hds_cli.engine.warm import place
from hds_cli.engine.warm.frames import Frames
from hds_cli.engine.warm.remembered import Remembered
from hds_cli.engine.warm.retiring import retire
from hds_cli.errors import HdsError
from hds_cli.settings_facts import seconds

DEFAULT = "10m"  # as long as a conversation may pause
_LOOK = 2.0  # seconds between two looks at whether the socket is still there
_HELLO_SECONDS = 2.0
_ENDING_SECONDS, _TIDYING_SECONDS = 0.2, 4.0
_FREED_SECONDS = 5.0  # for the end of processes that serve nobody
_CLOSED = 64  # sessions that are kept after their end: a thread that was left behind may still call them
_QUICK = ("count", "tokenize", "append", "mark", "rewrite", "abort", "resume", "close", "keep", "stop")


class Server:
    """One loaded model at one socket.

    Args:
        keep: seconds without a command after which it ends.

    Raises:
        HdsError: the model is missing or unusable.
        OSError: the socket cannot be made.
    """

    def __init__(self, spec: ModelSpec, settings: Settings, *, sequences: int, keep: float) -> None:
        self._name = place.name_of(spec, settings, sequences)
        path = place.socket_of(self._name)
        if path is None:
            raise OSError(f"the folder's name is too long for a socket: {paths.run_dir()}")
        self.path, self._keep = path, keep
        paths.private_dir(path.parent)
        if not paths.is_private(path.parent):
            raise OSError(f"{path.parent} is open to others")
        self._lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        self.first = locks.hold(self._lock)
        self._retired = not self.first
        self._used = time.monotonic()
        self._client: Client | None = None
        if not self.first:
            return
        try:
            retire(path.parent, path, seconds=_FREED_SECONDS)  # before: one model is in memory, not two
            self._engine = open_engine(spec, settings, sequences=sequences)
            self._engine.session().close()  # which makes the context
            self._remembered = Remembered()
            if place.name_of(spec, settings, sequences) != self._name:
                raise OSError("the model's file changed while it was loaded")
            self._listener = _listening(path)
        except BaseException:  # Ctrl-C while it loads, too
            self.clear()
            os.close(self._lock)
            raise

    def run(self) -> None:
        """Serve until the time is over, another model takes its place, or the socket is gone."""
        self._used = time.monotonic()
        try:
            while not self._over():
                with contextlib.suppress(TimeoutError):
                    self._greet(self._listener.accept()[0])
        finally:
            self.clear()

    def clear(self) -> None:
        """Take the socket away."""
        if self.first:
            self.path.unlink(missing_ok=True)
            self.path.with_suffix(".lock").unlink(missing_ok=True)

    def retire_others(self) -> int:
        """Ask every other process of this folder to end as soon as nobody is served; returns how many there were."""
        return retire(self.path.parent, self.path)

    def _over(self) -> bool:
        if self._client is not None:
            return False
        return self._retired or not self.path.exists() or time.monotonic() - self._used > self._keep

    def _greet(self, end: socket.socket) -> None:
        """Serve who comes, unless it is somebody else, or another is served."""
        frames = Frames(end)
        hello = frames.receive(_HELLO_SECONDS) if place.is_own(end) else None
        if hello is None:
            frames.close()
        elif hello.get("do") == "retire":
            self._retired = True
            with contextlib.suppress(OSError):
                frames.send({"busy": not self._free()})
            frames.close()
        elif self._retired or not self._free():
            with contextlib.suppress(OSError):
                frames.send({"busy": True})
            frames.close()
        else:
            self._keep = hello.get("keep") or self._keep
            self._client = Client(frames, self._engine, self._remembered)
            self._thread = threading.Thread(target=self._serve, args=(self._client,), daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the system gives no more threads
                self._client, self._retired = None, True
                frames.close()

    def _free(self) -> bool:
        """True when nobody is served; a command that is just ending is waited for."""
        client = self._client
        if client is not None:
            self._thread.join(_ENDING_SECONDS)
            if client.gone:
                self._thread.join(_TIDYING_SECONDS)
        return self._client is None

    def _serve(self, client: Client) -> None:
        try:
            client.run()
            if (renew := getattr(self._engine, "renew", None)) is not None:
                renew()  # so that the next command finds a model in which nothing lies where it lay before
                self._engine.session().close()
        except Exception:  # what it holds now is not known: the next command starts another process
            self._retired = True
            client.end()
        finally:
            self._used = time.monotonic()
            self._client = None


def _listening(path: Path) -> socket.socket:
    """A socket at `path` that nobody else may use; one that a dead process left there is taken away."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(8)
    listener.settimeout(_LOOK)
    return listener


class Client:
    """One command that is served: its sessions, which end with its connection."""

    def __init__(self, frames: Frames, engine: Engine, remembered: Remembered) -> None:
        self._frames, self._engine, self._remembered = frames, engine, remembered
        self._model: Any = engine  # llama.cpp's can do more than the door asks for: see `scorer`
        self._scorers: dict[int, Any] = {}
        self._sessions: dict[int, Session] = {}
        self._numbers = itertools.count(1)
        self._closed: list[int] = []
        self.gone = False
        self._writing: set[int] = set()  # sessions from when the message comes until the text is whole
        self._stopped: set[int] = set()
        self._lock = threading.Lock()  # of these two
        self._threads: list[threading.Thread] = []

    def run(self) -> None:
        """Answer until the other end is gone."""
        engine, template = self._engine, self._engine.chat_template()
        hello = {
            "info": asdict(engine.info), "reason": getattr(engine, "dialect_reason", ""),
            "template": None if template is None else list(template), "notes": list(getattr(engine, "notes", ())),
        }  # fmt: skip
        with contextlib.suppress(OSError):
            self._frames.send(hello)
        while (message := self._frames.receive()) is not None:
            if message.get("do") in _QUICK:
                self._answer(message)
            else:
                if message.get("do") == "generate":
                    self._writing.add(message["session"])  # here, so that a `stop` that follows finds it
                thread = threading.Thread(target=self._answer, args=(message,), daemon=True)
                self._threads = [*(one for one in self._threads if one.is_alive()), thread]
                thread.start()
        self.gone = True
        for session in [*self._sessions.values()]:
            session.close()
        for scorer in [*self._scorers.values()]:
            scorer.abort()
        for thread in self._threads:
            thread.join()
        for scorer in self._scorers.values():
            scorer.close()
        self.end()

    def end(self) -> None:
        """End the connection."""
        self.gone = True
        self._frames.close()

    def _answer(self, message: dict[str, Any]) -> None:
        """Do what a message asks for, and say what came of it."""
        number = message.get("id")
        try:
            answer = self._done(message)
        except (HdsError, OSError, ValueError) as exc:
            answer = {"error": _error(exc)}
        except Exception as exc:  # a fault of ours ends the command's call, not this process
            answer = {"error": {"kind": "", "message": f"{type(exc).__name__}: {exc}"[:500]}}
        if number is not None:
            with contextlib.suppress(OSError):  # it is gone, and the receiving thread sees that too
                self._frames.send({**answer, "id": number})

    def _done(self, message: dict[str, Any]) -> dict[str, Any]:
        do = message["do"]
        if do == "session":
            return self._opened(self._engine.session())
        if do == "count":
            return {"value": self._engine.count(_segments(message))}
        if do == "tokenize":
            return {"value": self._model.tokenize(_segments(message))}
        if do == "scorer" or "scorer" in message:
            return {"value": self._scored(do, message)}
        number = message["session"]
        session = self._sessions[number]
        if do == "fork":
            return self._opened(session.fork())
        value = self._called(do, number, session, message)
        if do == "close" and number not in self._closed:  # it may be closed again for each text that still comes
            self._closed.append(number)
            if len(self._closed) > _CLOSED:
                del self._sessions[self._closed.pop(0)]
        return {"value": value, **_state(session)}

    def _scored(self, do: str, message: dict[str, Any]) -> Any:
        """What a verifier asks for, in a context of its own."""
        if do == "scorer":
            path = message["adapter"]
            number = next(self._numbers)
            self._scorers[number] = self._model.scorer(None if path is None else Path(path))
            return number
        scorer = self._scorers[message["scorer"]]
        match do:
            case "logits":
                return scorer.logits(message["beginning"], message["endings"], message["tokens"])
            case "abort":
                return scorer.abort()
            case "resume":
                return scorer.resume()
            case "close":
                return self._scorers.pop(message["scorer"]).close()
        raise ValueError(f"no such call: {do}")

    def _called(self, do: str, number: int, session: Session, message: dict[str, Any]) -> Any:
        match do:
            case "append":
                return session.append(_segments(message))
            case "mark":
                return session.mark()
            case "rewrite":
                return session.rewrite(message["mark"], _segments(message))
            case "generate":
                return self._generated(number, session, message)
            case "save":
                return session.save(Path(message["path"]))
            case "load":
                return session.load(Path(message["path"]))
            case "abort":
                return session.abort()
            case "resume":
                return session.resume()
            case "close":
                return session.close()
            case "keep" | "drop":  # see `Resumable`
                return getattr(session, do, lambda: None)()
            case "stop":
                return self._stop(number, session)
        raise ValueError(f"no such call: {do}")

    def _generated(self, number: int, session: Session, message: dict[str, Any]) -> list[Any]:
        order = {
            "max_tokens": message["max_tokens"], "stop": message["stop"], "grammar": message["grammar"],
            "sampling": Sampling(*message["sampling"]),
        }  # fmt: skip

        def pass_on(text: str) -> None:
            with contextlib.suppress(OSError):
                self._frames.send({"id": message["id"], "text": text, **_state(session)})

        try:
            made = self._remembered.generate(session, order, pass_on)
        finally:
            with self._lock:
                self._writing.discard(number)
                if number in self._stopped:  # it was the caller that failed, and it may go on
                    self._stopped.discard(number)
                    session.resume()
        return [made.text, made.reason, made.stop, made.tokens]

    def _stop(self, number: int, session: Session) -> None:
        """End what is being written; a session whose text is whole already is left as it is."""
        with self._lock:
            if number in self._writing:
                self._stopped.add(number)
                session.abort()

    def _opened(self, session: Session) -> dict[str, Any]:
        number = next(self._numbers)
        self._sessions[number] = session
        return {"session": number, "n_ctx": session.n_ctx, **_state(session)}


def _segments(message: dict[str, Any]) -> list[Segment]:
    return [Segment(str(text), bool(trusted)) for text, trusted in message["segments"]]


def _state(session: Session) -> dict[str, Any]:
    counts = [getattr(session.counter, name) for name in Counter.__slots__]
    return {"used": session.used, "pending": getattr(session, "pending", None), "counter": counts}


def _error(exc: Exception) -> dict[str, Any]:
    if isinstance(exc, HdsError):
        return {"kind": type(exc).__name__, "message": exc.message, "hint": exc.hint, "code": exc.error_code}
    kind = next(kind for kind in (TimeoutError, OSError, ValueError) if isinstance(exc, kind))
    return {"kind": kind.__name__, "message": str(exc)}


def main(ready: Callable[[], None]) -> int:
    """The process that a command started: its order is on stdin; `ready` is called when the model is loaded."""
    order = json.load(sys.stdin)
    try:
        settings = config.load(order["settings"])
        server = Server(find_model(settings), settings, sequences=order["sequences"], keep=seconds(order["keep"]))
    except (HdsError, OSError):
        return 1  # the command loads the model itself, and says what is wrong
    if not server.first:
        return 1
    server.retire_others()
    ready()
    os.chdir("/")
    server.run()
    return 0


def _ready() -> None:
    """Tell the command, and let go of its pipe."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)


if __name__ == "__main__":
    code = main(_ready)
    sys.stdout.flush()
    os._exit(code)
