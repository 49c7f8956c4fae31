"""A deterministic engine from a file, for tests, docs and replay.

Line k of the JSONL file, `{"text": "…", "chars_per_second": 200}`, is what the model writes at its k-th call (the pace
is optional). It is cut at stop strings and after `max_tokens` as a model's text is; a token is four characters.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hds_cli import jsons
from hds_cli.engine import state
from hds_cli.engine.base import ChatTemplate, Counter, Generation, OnText, Sampling, Segment, StopReason
from hds_cli.errors import ModelMissing, ModelUnusable, ScriptEnded
from hds_cli.types import ModelInfo

N_CTX = 32_768
_CHARS = 4  # characters of a token


class Line(NamedTuple):
    """The text of one call; `pace` in characters a second, None: at once."""

    text: str
    pace: float | None


class ScriptedEngine:
    """Writes what the lines of `path` say.

    Raises:
        ModelMissing: there is no such file.
        ModelUnusable: a line is not `{"text": "…"}`.
    """

    def __init__(self, path: Path, *, n_ctx: int | None = None) -> None:
        self._lines = _read(path)
        self.info = ModelInfo(name=path.stem, file=str(path), engine="scripted", n_ctx=n_ctx or N_CTX)

    def session(self) -> ScriptedSession:
        """A session that begins at line 1."""
        return ScriptedSession(self._lines, self.info.n_ctx)

    def count(self, segments: Sequence[Segment]) -> int:
        return sum(_tokens(text) for text, _ in segments)

    def chat_template(self) -> ChatTemplate | None:
        return None

    def close(self) -> None: ...


class ScriptedSession:
    """Counts four characters a token, as there is no vocabulary. `text` is what it holds, piece by piece."""

    def __init__(self, lines: Sequence[Line], n_ctx: int) -> None:
        self._lines, self._n_ctx = lines, n_ctx
        self._stop = threading.Event()
        self._next = 0
        self._closed = False
        self.text: list[str] = []
        self.counter = Counter()

    @property
    def n_ctx(self) -> int:
        return self._n_ctx

    @property
    def used(self) -> int:
        return sum(map(_tokens, self.text))

    def append(self, segments: Sequence[Segment]) -> int:
        new = "".join(text for text, _ in segments)
        self.text.append(new)
        self.counter.prompt += _tokens(new)
        self.counter.evaluated += _tokens(new)
        return _tokens(new)

    def mark(self) -> int:
        return len(self.text)

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        del self.text[mark:]
        return self.append(segments)

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        if self._stop.is_set():
            return Generation("", "aborted")
        if self._next >= len(self._lines):
            raise ScriptEnded(
                f"the script has only {len(self._lines)} lines, and the model is asked to write again",
                hint="add a line to the file",
            )
        line = self._lines[self._next]
        self._next += 1
        text, reason, stopped = self._cut(line.text, max_tokens, stop)
        started = time.monotonic()
        written = self._write(text, line.pace, on_text)
        self.text.append(written)
        self.counter.generated += _tokens(written)
        self.counter.evaluated += _tokens(written)
        self.counter.seconds += time.monotonic() - started
        if len(written) < len(text):
            return Generation(written, "aborted", None, _tokens(written))
        return Generation(text, reason, stopped, _tokens(text))

    def _cut(self, text: str, max_tokens: int, stop: Sequence[str]) -> tuple[str, StopReason, str | None]:
        """The part of a line that is written, the reason it ends, and the stop string."""
        ends = [(at, s) for s in stop if s and (at := text.find(s)) >= 0]
        end, stopped = min(ends) if ends else (len(text), None)
        room = self._n_ctx - self.used
        most = min(max_tokens, room) * _CHARS
        if end > most:
            return text[: max(0, most)], "length" if max_tokens <= room else "context", None
        return text[:end], "stop" if stopped else "eos", stopped

    def fork(self) -> ScriptedSession:
        """A session that goes on at the same line."""
        forked = ScriptedSession(self._lines, self._n_ctx)
        forked._next, forked.text = self._next, list(self.text)
        return forked

    def skip(self) -> None:
        """Leave a line to a fork."""
        self._next += 1

    def save(self, path: Path) -> None:
        state.write(path, self._identity(), json.dumps({"next": self._next, "text": self.text}).encode())

    def load(self, path: Path) -> bool:
        body = state.read(path, self._identity())
        if body is None:
            return False
        saved = json.loads(body)
        self._next, self.text = saved["next"], saved["text"]
        return True

    def _identity(self) -> dict[str, Any]:
        digest = hashlib.sha256(json.dumps(self._lines).encode()).hexdigest()
        return {"model": digest, "build": "scripted", "n_ctx": self._n_ctx}

    def abort(self) -> None:
        self._stop.set()

    def resume(self) -> None:
        if not self._closed:
            self._stop.clear()

    def close(self) -> None:
        self._closed = True
        self._stop.set()

    def _write(self, text: str, pace: float | None, on_text: OnText | None) -> str:
        step = max(1, int(pace / 50)) if pace else max(1, len(text))
        for at in range(0, len(text), step):
            if self._stop.is_set() or (pace and self._stop.wait(step / pace)):
                return text[:at]
            if on_text:
                on_text(text[at : at + step])
        return text


def _tokens(text: str) -> int:
    return (len(text) + _CHARS - 1) // _CHARS


def _read(path: Path) -> list[Line]:
    try:
        raw = path.read_text("utf-8")
    except FileNotFoundError:
        raise ModelMissing(f"there is no script {path}", hint="hds ask -e scripted -m FILE.jsonl …") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise ModelUnusable(f"cannot read the script {path}: {exc}") from exc
    lines: list[Line] = []
    for number, line in enumerate(jsons.lines(raw), 1):
        if not line.strip():
            continue
        try:
            row = jsons.loads(line.encode())
            pace = row.get("chars_per_second")
            lines.append(Line(str(row["text"]), float(pace) if pace else None))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ModelUnusable(f'{path}, line {number}: not {{"text": "…"}} ({exc!r})') from exc
    return lines
