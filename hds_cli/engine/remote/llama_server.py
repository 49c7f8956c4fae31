"""llama.cpp's own server: prompts as token ids, so that untrusted text never forms a control token there either."""

from __future__ import annotations

import functools
import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from hds_cli import bounds
from hds_cli.engine import state
from hds_cli.engine.base import ChatTemplate, Segment, StopReason
from hds_cli.engine.remote.session import Order, RemoteSession, Told
from hds_cli.engine.remote.wire import Wire, unusable
from hds_cli.types import ModelInfo

_SHORT = 4000  # characters of a text whose tokens are remembered
_MOST_IDS = 1 << 31
_REASONS: dict[object, StopReason] = {"eos": "eos", "limit": "length", "word": "stop"}


class LlamaServerEngine:
    """A model of a llama-server.

    Args:
        props: its answer to `/props`.
    """

    def __init__(self, wire: Wire, props: dict[str, Any], info: ModelInfo) -> None:
        self._wire, self._props, self.info = wire, props, info
        self._ids = functools.lru_cache(maxsize=2048)(self._asked_ids)

    def session(self) -> LlamaServerSession:
        return LlamaServerSession(self, self._wire, self.info.n_ctx)

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        """Token ids, each segment by itself; only trusted ones may form special tokens."""
        ids: list[int] = []
        for text, trusted in segments:
            text = text.encode("utf-8", "replace").decode()
            if text:
                ids += self._ids(text, trusted) if len(text) <= _SHORT else self._asked_ids(text, trusted)
        return ids

    def count(self, segments: Sequence[Segment]) -> int:
        return len(self.tokenize(segments))

    def chat_template(self) -> ChatTemplate | None:
        source = self._props.get("chat_template")
        if not isinstance(source, str) or not source:
            return None
        bos, eos = (str(self._props.get(name) or "")[:100] for name in ("bos_token", "eos_token"))
        return ChatTemplate(source, bos, eos)

    def close(self) -> None:
        self._wire.close()

    def identity(self) -> dict[str, Any]:
        """What a saved session has to match."""
        build = str(self._props.get("build_info"))[:100]
        return {"model": self.info.name, "server": self._wire.host, "build": build, "n_ctx": self.info.n_ctx}

    def _asked_ids(self, text: str, trusted: bool) -> tuple[int, ...]:
        body = {"content": text, "add_special": False, "parse_special": trusted}
        answer = self._wire.ask("/tokenize", body)
        return checked_ids(answer.get("tokens") if isinstance(answer, dict) else None, 16 + 4 * len(text.encode()))


def checked_ids(ids: object, most: int) -> tuple[int, ...]:
    """Token ids of a server's answer.

    Raises:
        ModelUnusable: they are none, or more than `most`.
    """
    if isinstance(ids, list) and len(ids) <= most and all(type(i) is int and 0 <= i < _MOST_IDS for i in ids):
        return tuple(ids)
    raise unusable("does not answer with tokens")


class LlamaServerSession(RemoteSession):
    """Holds token ids; the server finds for itself how much of them it has evaluated already."""

    def __init__(self, engine: LlamaServerEngine, wire: Wire, n_ctx: int, tokens: Sequence[int] = ()) -> None:
        super().__init__(n_ctx)
        self._engine, self._wire = engine, wire
        self.tokens = list(tokens)
        self.slot: int | None = None
        """The slot of the server that wrote last."""

    @property
    def used(self) -> int:
        return len(self.tokens)

    def append(self, segments: Sequence[Segment]) -> int:
        return self.rewrite(self.used, segments)

    def mark(self) -> int:
        return self.used

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        ids = self._engine.tokenize(segments)
        self.tokens[mark:] = ids
        self._fresh += len(ids)
        self.counter.prompt += len(ids)
        return len(ids)

    def fork(self) -> LlamaServerSession:
        forked = type(self)(self._engine, self._wire, self._n_ctx, self.tokens)
        forked.slot = self.slot
        return forked

    def save(self, path: Path) -> None:
        state.write(path, self._engine.identity(), json.dumps(self.tokens).encode())

    def load(self, path: Path) -> bool:
        body = state.read(path, self._engine.identity())
        if body is None:
            return False
        self.tokens = [int(token) for token in json.loads(body)]
        return True

    def _stream(self, order: Order) -> Generator[Told, None, None]:
        sampling = order.sampling
        body: dict[str, Any] = {
            "prompt": self.tokens, "n_predict": order.tokens, "stream": True, "return_tokens": True,
            "cache_prompt": True, "stop": list(order.stop), "temperature": sampling.temperature,
            "top_p": sampling.top_p, "top_k": sampling.sampling_top_k, "min_p": sampling.min_p,
            "seed": sampling.seed & 0xFFFFFFFF,
        }  # fmt: skip
        if order.grammar is not None:
            body["grammar"] = order.grammar
        events = self._wire.events("/completion", body, self._call, seconds=order.seconds, most=order.bytes)
        for event in events:
            text = event.get("content")
            if not isinstance(text, str):
                raise unusable("does not answer with text")
            ids = checked_ids(event.get("tokens") or [], order.tokens + 1)
            self.slot = bounds.count(event["id_slot"]) if "id_slot" in event else self.slot
            yield _last(event, text, ids) if event.get("stop") is True else Told(text, ids)

    def _wrote(self, text: str, ids: Sequence[int] | None, generated: int, prompt: int | None) -> int:
        new = self._engine.tokenize([Segment(text)]) if ids is None else ids
        new = new[: self._n_ctx - self.used]
        self.tokens += new
        return len(new)


def _last(event: dict[str, Any], text: str, ids: tuple[int, ...]) -> Told:
    timings = event.get("timings")
    evaluated = timings.get("prompt_n") if isinstance(timings, dict) else None
    reason = _REASONS.get(event.get("stop_type"), "eos")
    return Told(
        text, ids, reason, str(event.get("stopping_word")) if reason == "stop" else None,
        prompt=bounds.count(event.get("tokens_evaluated")), evaluated=bounds.count(evaluated),
        generated=bounds.count(event.get("tokens_predicted")),
    )  # fmt: skip


__all__ = ["LlamaServerEngine", "LlamaServerSession", "checked_ids"]
