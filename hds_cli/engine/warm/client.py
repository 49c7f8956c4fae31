"""The engine of a command whose model another process holds."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hds_cli import errors
from hds_cli.config import Settings
from hds_cli.engine.base import ChatTemplate, Counter, Generation, ModelSpec, OnText, Sampling, Segment
from hds_cli.engine.warm import place
from hds_cli.engine.warm.frames import Frames
from hds_cli.engine.warm.scoring import WarmScorer
from hds_cli.errors import HdsError, ModelUnusable
from hds_cli.keys import without_secrets
from hds_cli.paths import run_dir
from hds_cli.settings_facts import seconds
from hds_cli.types import ModelInfo

_HELLO_SECONDS = 5.0  # more than the process waits for a command that is just ending
_QUICK_SECONDS = 60.0  # for an answer that no model writes; one batch may have to end before it
_ABORT_SECONDS = 3.0
_RAISED = {"OSError": OSError, "TimeoutError": TimeoutError, "ValueError": ValueError}
_READY = b"ready\n"


def open_warm(spec: ModelSpec, settings: Settings, *, sequences: int) -> WarmEngine | None:
    """The model as another process has it loaded, which is started first where `keep_warm` is set.

    None: there is none, or it is at work for another command. Then the model is loaded as ever.
    """
    keep = None if settings.keep_warm is None else seconds(settings.keep_warm)
    if settings.engine != "llama_cpp" or keep == 0 or not place.possible():
        return None
    if not keep and not run_dir().is_dir():
        return None  # the usual case costs no more than this
    path = place.socket_of(place.name_of(spec, settings, sequences))
    if path is None:
        return None
    found, busy = _greeted(path, keep)
    if found is None and keep and not busy and _start(settings, sequences):
        found, _ = _greeted(path, keep)
    return found


def _greeted(path: Path, keep: float | None) -> tuple[WarmEngine | None, bool]:
    """The engine that listens there, and whether one does that is at work for another."""
    end = place.connected(path)
    if end is None:
        return None, False
    frames = Frames(end)
    with contextlib.suppress(OSError, KeyError, TypeError):
        frames.send({"do": "hello", "keep": keep})
        answer = frames.receive(_HELLO_SECONDS)
        if answer is not None and answer.get("info"):
            return WarmEngine(frames, answer), False
        frames.close()
        return None, answer is None or bool(answer.get("busy"))
    frames.close()
    return None, True


def _start(settings: Settings, sequences: int) -> bool:
    """Start the process that holds the model, and wait until it has loaded it; False: it could not."""
    given = {name: getattr(settings, name) for name in place.SHAPING}
    order = {"settings": given, "keep": settings.keep_warm, "sequences": sequences}
    command = [sys.executable, "-P", "-m", "hds_cli.engine.warm.server"]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            env=without_secrets(os.environ),
        )  # fmt: skip
    except OSError:
        return False
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, contextlib.suppress(OSError):
        with process.stdin:
            process.stdin.write(json.dumps(order).encode())
        return process.stdout.readline() == _READY
    return False


class WarmEngine:
    """An `Engine` whose sessions are another process's.

    Args:
        frames: the connection, greeted.
        said: what the process says of its model.
    """

    def __init__(self, frames: Frames, said: dict[str, Any]) -> None:
        self._frames = frames
        self.info = ModelInfo(**said["info"])
        self.dialect_reason = str(said["reason"])
        self.notes: tuple[str, ...] = tuple(said.get("notes", ()))  # on how the model fits the memory
        template = said["template"]
        self._template = None if template is None else ChatTemplate(*template)
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._lost = False
        threading.Thread(target=self._listen, daemon=True, name="hds-warm").start()

    def session(self) -> WarmSession:
        return WarmSession(self, self.call({"do": "session"}, None))

    def count(self, segments: Sequence[Segment]) -> int:
        return int(self.call({"do": "count", "segments": list(segments)})["value"])

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        """Token ids; only trusted segments may form special tokens."""
        ids: list[int] = self.call({"do": "tokenize", "segments": list(segments)})["value"]
        return ids

    def scorer(self, adapter: Path | None) -> WarmScorer:
        """A context beside the sessions', over the same weights, with an adapter of its own.

        Raises:
            ModelMissing, ModelUnusable: there is no such adapter, it does not load, or there is not enough memory.
        """
        path = None if adapter is None else str(adapter.absolute())
        return WarmScorer(self, self.call({"do": "scorer", "adapter": path}, None)["value"])

    def chat_template(self) -> ChatTemplate | None:
        return self._template

    def close(self) -> None:
        self._lost = True
        self._frames.close()

    def call(self, message: dict[str, Any], limit: float | None = _QUICK_SECONDS) -> dict[str, Any]:
        """The answer to a message.

        Raises:
            ModelUnusable: the process is gone, or does not answer.
            HdsError: what the call itself raised there.
        """
        number, answers = self.ask(message)
        try:
            answer = answers.get(timeout=limit)
        except queue.Empty:
            raise _gone("does not answer") from None
        finally:
            self.forget(number)
        return checked(answer)

    def ask(self, message: dict[str, Any]) -> tuple[int, queue.SimpleQueue[dict[str, Any] | None]]:
        """Send a message; its number, and where its answers come. None is the last one when the process is gone."""
        answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        number = next(self._numbers)
        with self._lock:
            self._waiting[number] = answers
            if self._lost:
                answers.put(None)
        self.tell({**message, "id": number})
        return number, answers

    def forget(self, number: int) -> None:
        """No more answers to that message are waited for."""
        with self._lock:
            self._waiting.pop(number, None)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message that has no answer, or whose answer is waited for elsewhere."""
        with contextlib.suppress(OSError):  # the listening thread sees that the other end is gone
            self._frames.send(message)

    def _listen(self) -> None:
        while (answer := self._frames.receive()) is not None:
            with self._lock:
                waiting = self._waiting.get(answer.get("id", 0))
            if waiting is not None:
                waiting.put(answer)
        with self._lock:
            self._lost = True
            for waiting in self._waiting.values():
                waiting.put(None)


class WarmSession:
    """A `Session` of another process.

    Args:
        said: its answer: the number of the session, its size, its counts.
    """

    def __init__(self, engine: WarmEngine, said: dict[str, Any]) -> None:
        self._engine, self._number, self._n_ctx = engine, said["session"], int(said["n_ctx"])
        self._used, self._aborted = 0, False
        self._pending: int | None = None
        self._known = Counter()
        self.counter = Counter()
        self._heed(said)

    @property
    def n_ctx(self) -> int:
        return self._n_ctx

    @property
    def used(self) -> int:
        return self._used

    @property
    def pending(self) -> int | None:
        """Tokens that the next `generate` evaluates before it writes; None: the engine does not say."""
        return self._pending

    def append(self, segments: Sequence[Segment]) -> int:
        return int(self._call("append", segments=list(segments))["value"])

    def mark(self) -> int:
        return int(self._call("mark")["value"])

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        return int(self._call("rewrite", mark=mark, segments=list(segments))["value"])

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        number, answers = self._engine.ask(
            {
                "do": "generate", "session": self._number, "max_tokens": max_tokens, "stop": list(stop),
                "sampling": [getattr(sampling, name) for name in Sampling.__slots__], "grammar": grammar,
            }
        )  # fmt: skip
        try:
            return self._written(answers, on_text)
        except BaseException:  # `on_text` failed, or Ctrl-C: the writing ends with the caller
            self._tell("stop")
            with contextlib.suppress(HdsError, queue.Empty):
                while "text" in checked(answers.get(timeout=_ABORT_SECONDS)):
                    pass
            raise
        finally:
            self._engine.forget(number)

    def _written(self, answers: queue.SimpleQueue[dict[str, Any] | None], on_text: OnText | None) -> Generation:
        """What is written, handed to `on_text` as it comes. An abort does not wait for a process that hangs."""
        while True:
            try:
                answer = checked(answers.get(timeout=_ABORT_SECONDS))
            except queue.Empty:
                if self._aborted:
                    return Generation("", "aborted")
                continue
            self._heed(answer)
            if "text" not in answer:
                return Generation(*answer["value"])
            if on_text is not None:
                on_text(answer["text"])

    def fork(self) -> WarmSession:
        return WarmSession(self._engine, self._call("fork"))

    def save(self, path: Path) -> None:
        self._call("save", path=str(path.absolute()))

    def load(self, path: Path) -> bool:
        return bool(self._call("load", path=str(path.absolute()))["value"])

    def keep(self) -> None:
        self._call("keep")

    def drop(self) -> None:
        self._call("drop")

    def abort(self) -> None:
        self._aborted = True
        self._tell("abort")

    def resume(self) -> None:
        self._aborted = False
        self._tell("resume")

    def close(self) -> None:
        self._aborted = True
        self._tell("close")

    def _call(self, do: str, **more: Any) -> dict[str, Any]:
        slow = do in ("save", "load", "fork", "drop")
        answer = self._engine.call({"do": do, "session": self._number, **more}, None if slow else _QUICK_SECONDS)
        if do != "fork":
            self._heed(answer)
        return answer

    def _tell(self, do: str) -> None:
        self._engine.tell({"do": do, "session": self._number})

    def _heed(self, answer: dict[str, Any]) -> None:
        """Take over the size and the counts. They are added, as others count into `counter` too."""
        self._used, self._pending = int(answer["used"]), answer["pending"]
        for name, value in zip(Counter.__slots__, answer["counter"], strict=True):
            before = getattr(self._known, name)
            setattr(self.counter, name, getattr(self.counter, name) + value - before)
            setattr(self._known, name, value)


def checked(answer: dict[str, Any] | None) -> dict[str, Any]:
    """An answer that is none of an error.

    Raises:
        ModelUnusable: the process is gone.
        HdsError, OSError, TimeoutError, ValueError: what was raised there.
    """
    if answer is None:
        raise _gone("ended while it was at work")
    if (error := answer.get("error")) is None:
        return answer
    kind = getattr(errors, str(error["kind"]), None)
    if isinstance(kind, type) and issubclass(kind, HdsError):
        raise kind(error["message"], hint=error["hint"], code=error["code"])
    raise _RAISED.get(str(error["kind"]), RuntimeError)(error["message"])


def _gone(what: str) -> ModelUnusable:
    return ModelUnusable(
        f"the process that keeps the model warm {what}",
        hint="the same command again, or   hds ask --resume RUN   (hds history list)",
        code="warm_model",
    )


__all__ = ["WarmEngine", "WarmSession", "open_warm"]
