"""A deterministic engine from a file, for tests, docs and replay.

Line k of the JSONL file, `{"text": "…", "chars_per_second": 200}`, is what the model writes at its k-th call (the pace
is optional). It is cut at stop strings as a model's text is.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from hds_cli.engine.base import ChatTemplate, Counter, Generation, OnText, Sampling, Segment
from hds_cli.errors import ModelMissing, ModelUnusable, ScriptEnded
from hds_cli.types import ModelInfo

N_CTX = 32_768


class ScriptedEngine:
    """Writes what the lines of `path` say.

    Raises:
        ModelMissing: there is no such file.
        ModelUnusable: a line is not `{"text": "…"}`.
    """

    def __init__(self, path: Path, *, n_ctx: int | None = None) -> None:
        self._lines = _read(path)
        self._stop = threading.Event()
        self.info = ModelInfo(name=path.stem, file=str(path), engine="scripted", n_ctx=n_ctx or N_CTX)

    def session(self) -> ScriptedSession:
        """A session that begins at line 1."""
        return ScriptedSession(self._lines, self.info.n_ctx, self._stop)

    def count(self, segments: Sequence[Segment]) -> int:
        return sum(_tokens(text) for text, _ in segments)

    def chat_template(self) -> ChatTemplate | None:
        return None

    def abort(self) -> None:
        self._stop.set()

    def resume(self) -> None:
        self._stop.clear()

    def close(self) -> None: ...


class ScriptedSession:
    """Counts four characters a token, as there is no vocabulary."""

    def __init__(self, lines: Sequence[tuple[str, float | None]], n_ctx: int, stop: threading.Event) -> None:
        self._lines, self._n_ctx, self._stop = lines, n_ctx, stop
        self._next = 0
        self._pieces: list[int] = []  # tokens of each append or generation
        self.text: list[str] = []
        self.counter = Counter()

    @property
    def n_ctx(self) -> int:
        return self._n_ctx

    @property
    def used(self) -> int:
        return sum(self._pieces)

    def append(self, segments: Sequence[Segment]) -> int:
        new = "".join(text for text, _ in segments)
        self.text.append(new)
        self._pieces.append(_tokens(new))
        self.counter.prompt += _tokens(new)
        self.counter.evaluated += _tokens(new)
        return _tokens(new)

    def mark(self) -> int:
        return len(self._pieces)

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        del self._pieces[mark:], self.text[mark:]
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
        if self._next >= len(self._lines):
            raise ScriptEnded(
                f"the script has only {len(self._lines)} lines, and the model is asked to write again",
                hint="add a line to the file",
            )
        text, pace = self._lines[self._next]
        self._next += 1
        ends = [(at, s) for s in stop if s and (at := text.find(s)) >= 0]
        end, stopped = min(ends) if ends else (len(text), None)
        text = text[:end]
        started = time.monotonic()
        written = self._write(text, pace, on_text)
        self.text.append(written)
        self._pieces.append(_tokens(written))
        self.counter.generated += _tokens(written)
        self.counter.evaluated += _tokens(written)
        self.counter.seconds += time.monotonic() - started
        if len(written) < len(text):
            return Generation(written, "aborted", None, _tokens(written))
        return Generation(text, "stop" if stopped else "eos", stopped, _tokens(text))

    def close(self) -> None: ...

    def _write(self, text: str, pace: float | None, on_text: OnText | None) -> str:
        step = max(1, int(pace / 50)) if pace else max(1, len(text))
        for at in range(0, len(text), step):
            if self._stop.is_set() or (pace and self._stop.wait(step / pace)):
                return text[:at]
            if on_text:
                on_text(text[at : at + step])
        return text


def _tokens(text: str) -> int:
    return (len(text) + 3) // 4


def _read(path: Path) -> list[tuple[str, float | None]]:
    try:
        raw = path.read_text("utf-8")
    except FileNotFoundError:
        raise ModelMissing(f"there is no script {path}", hint="hds ask -e scripted -m FILE.jsonl …") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise ModelUnusable(f"cannot read the script {path}: {exc}") from exc
    lines: list[tuple[str, float | None]] = []
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            pace = row.get("chars_per_second")
            lines.append((str(row["text"]), float(pace) if pace else None))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ModelUnusable(f'{path}, line {number}: not {{"text": "…"}} ({exc!r})') from exc
    return lines
