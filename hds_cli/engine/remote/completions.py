"""The OpenAI interface of other servers: raw completions where hds writes the prompt, messages where they write it.

Such a server takes text only, and makes control tokens of whatever looks like one. So what looks like one in untrusted
text is broken up here, even where the dialect did so before.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hds_cli import bounds
from hds_cli.engine import state
from hds_cli.engine.base import ChatTemplate, Segment, StopReason
from hds_cli.engine.remote.session import Order, RemoteSession, Told
from hds_cli.engine.remote.wire import Refused, Wire, unusable
from hds_cli.errors import NoGrammar, UsageError
from hds_cli.types import ModelInfo

# The server writes the prompt from messages, with a template that it does not show. This one marks where they begin.
_BEGIN, _BODY, _END = "\x1e", "\x1f", "\x1d"
MESSAGES = ChatTemplate(
    "{% for message in messages %}{{ '\x1e' + message['role'] + '\x1f' + message['content'] + '\x1d' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\x1eassistant\x1f' }}{% endif %}"
)
_MARK = re.compile(f"{_BEGIN}([a-z]{{1,20}}){_BODY}|{_END}")
_CONTROL = re.compile(
    r"<\|[^\s|<>]{1,60}\|>|<｜[^\s｜<>]{1,60}｜>|</?s>|<(?:bos|eos|pad|unk|mask|(?:start|end)_of_(?:turn|image))>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\]|<</?SYS>>"
)
_BYTES = 3.0  # bytes a token, until a server has counted; English has four and more, so rather too many tokens
_LEAST_COUNTED = 200  # tokens of a prompt that says something of the ratio
_REASONS: dict[object, StopReason] = {"length": "length", "stop": "eos"}
_EXTRAS = ("top_k", "min_p", "stream_options")  # which not every server takes
_GRAMMARS = {"vllm": ("structured_outputs", "guided_grammar"), "sglang": ("ebnf",), "me": ("grammar",)}
"""The owner in `/v1/models` -> the fields of its requests that take a grammar (`me` is llama-cpp-python's)."""


class CompletionEngine:
    """A model of a server that speaks the OpenAI interface.

    Args:
        kind: the owner of its models: `vllm`, `sglang`, …
    """

    def __init__(self, wire: Wire, kind: str, info: ModelInfo) -> None:
        self._wire, self.info = wire, info
        self._grammar = _GRAMMARS.get(kind, ())
        self._ratio = _BYTES
        self._plain = False  # the server takes no fields beyond the common ones

    def session(self) -> CompletionSession:
        return CompletionSession(self, self.info.n_ctx)

    def count(self, segments: Sequence[Segment]) -> int:
        """About as many tokens as the server will count."""
        return sum(math.ceil(len(text.encode("utf-8", "replace")) / self._ratio) for text, _ in segments)

    def chat_template(self) -> ChatTemplate | None:
        return MESSAGES

    def close(self) -> None:
        self._wire.close()

    def identity(self) -> dict[str, Any]:
        """What a saved session has to match."""
        return {"model": self.info.name, "server": self._wire.host, "n_ctx": self.info.n_ctx}

    def learn(self, size: int, tokens: int) -> None:
        """Take note that a prompt of `size` bytes has so many tokens."""
        if tokens >= _LEAST_COUNTED:
            self._ratio = min(5.0, max(1.0, 0.95 * size / tokens))

    def events(
        self, prompt: str | list[dict[str, str]], order: Order, session: CompletionSession, *, plain: bool = False
    ) -> Iterator[Any]:
        """What the server writes after a raw prompt, or as the next message; `plain`: with the common fields alone."""
        plain = plain or self._plain
        path, body = "/v1/completions", self._body(order, plain)
        body["prompt"] = prompt
        if isinstance(prompt, list):
            path = "/v1/chat/completions"
            body["messages"] = body.pop("prompt")
            if prompt[-1]["role"] == "assistant":  # vLLM and SGLang go on in a message only when they are told
                body |= {"continue_final_message": True, "add_generation_prompt": False}
        try:
            yield from self._wire.events(path, body, session.call, seconds=order.seconds, most=order.bytes)
        except Refused as exc:
            if exc.status in (404, 405) and isinstance(prompt, str):
                raise UsageError(
                    f"{self._wire.host} has no raw completions, which this dialect needs",
                    hint="hds ask --dialect chat …",
                ) from None
            if exc.status not in (400, 422) or plain:
                raise
            for event in self.events(prompt, order, session, plain=True):
                self._plain = True  # so it was for the fields, and not for the length of the prompt
                yield event

    def _body(self, order: Order, plain: bool) -> dict[str, Any]:
        # No `stop`: a server does not say at which string it stopped, or whether it did. The text is cut here, and
        # closing the connection ends the writing.
        sampling = order.sampling
        body: dict[str, Any] = {
            "model": self.info.name, "max_tokens": order.tokens, "stream": True, "temperature": sampling.temperature,
            "top_p": sampling.top_p, "seed": sampling.seed, "stream_options": {"include_usage": True},
        }  # fmt: skip
        if sampling.sampling_top_k:
            body["top_k"] = sampling.sampling_top_k
        if sampling.min_p:
            body["min_p"] = sampling.min_p
        if plain:
            body = {name: value for name, value in body.items() if name not in _EXTRAS}
        if order.grammar is not None:
            if not self._grammar:
                raise NoGrammar(
                    f"{self._wire.host} holds no model to a grammar, which this dialect needs", hint="--dialect chat"
                )
            for field in self._grammar:
                body[field] = {"grammar": order.grammar} if field == "structured_outputs" else order.grammar
        return body


class _Piece(NamedTuple):
    """Text as the server is sent it; `ours`: marks of messages count in it."""

    text: str
    tokens: int
    ours: bool


class CompletionSession(RemoteSession):
    """Holds text; its tokens are an estimate until the server has counted them."""

    def __init__(self, engine: CompletionEngine, n_ctx: int) -> None:
        super().__init__(n_ctx)
        self._engine = engine
        self._pieces: list[_Piece] = []
        self._own: set[str] = set()  # looks like control tokens, and is the model's own text
        self._counted = (0, 0)  # so many pieces have so many tokens, as the server said

    @property
    def call(self) -> Any:
        """What ends a request of this session."""
        return self._call

    @property
    def used(self) -> int:
        pieces, tokens = self._counted
        return min(self._n_ctx, tokens + sum(piece.tokens for piece in self._pieces[pieces:]))

    def append(self, segments: Sequence[Segment]) -> int:
        before = self.used
        for text, trusted in segments:
            held = text if trusted else self._harmless(text)
            if held:
                self._pieces.append(_Piece(held, self._engine.count([Segment(held)]), trusted))
        tokens = self.used - before
        self.counter.prompt += tokens
        self._fresh += tokens
        return tokens

    def mark(self) -> int:
        return len(self._pieces)

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        del self._pieces[mark:]
        if mark < self._counted[0]:
            self._counted = (0, 0)
        return self.append(segments)

    def fork(self) -> CompletionSession:
        forked = CompletionSession(self._engine, self._n_ctx)
        forked._pieces, forked._own, forked._counted = list(self._pieces), set(self._own), self._counted
        return forked

    def save(self, path: Path) -> None:
        body = json.dumps([[text, tokens, ours] for text, tokens, ours in self._pieces]).encode()
        state.write(path, self._engine.identity(), body)

    def load(self, path: Path) -> bool:
        body = state.read(path, self._engine.identity())
        if body is None:
            return False
        self._pieces = [_Piece(str(text), int(tokens), bool(ours)) for text, tokens, ours in json.loads(body)]
        self._counted = (0, 0)
        return True

    def _harmless(self, text: str) -> str:
        """Untrusted text in which nothing looks like a control token, but for what the model writes as text itself."""
        return _CONTROL.sub(lambda m: m[0] if m[0] in self._own else f"{m[0][0]} {m[0][1:]}", text)

    def _prompt(self) -> str | list[dict[str, str]]:
        """The messages that the pieces are, or their text where no message begins."""
        if not (self._pieces and self._pieces[0].ours and self._pieces[0].text.startswith(_BEGIN)):
            return "".join(piece.text for piece in self._pieces)
        messages: list[dict[str, str]] = []
        parts: list[str] = []
        for piece in self._pieces:
            end = 0
            for mark in _MARK.finditer(piece.text) if piece.ours else ():
                parts.append(piece.text[end : mark.start()])
                end = mark.end()
                if messages:
                    messages[-1]["content"] += "".join(parts)
                parts = []
                if mark[1]:
                    messages.append({"role": mark[1], "content": ""})
            parts.append(piece.text[end:])
        messages[-1]["content"] += "".join(parts)
        return messages if messages[-1]["content"] else messages[:-1]

    def _stream(self, order: Order) -> Generator[Told, None, None]:
        self._own.update(order.stop)
        read = _Answer()
        for event in self._engine.events(self._prompt(), order, self):
            yield from read.take(event)
        if read.reason is not None:
            yield read.end

    def _wrote(self, text: str, ids: Sequence[int] | None, generated: int, prompt: int | None) -> int:
        self._own.update(_CONTROL.findall(text))
        if prompt:
            self._engine.learn(sum(len(piece.text.encode("utf-8", "replace")) for piece in self._pieces), prompt)
        if text:
            self._pieces.append(_Piece(text, generated, False))
        if prompt:
            self._counted = (len(self._pieces), prompt + generated)
        return generated if text else 0


class _Answer:
    """Reads the events of one answer: text, a thought apart from it, the reason of its end, and the count."""

    def __init__(self) -> None:
        self.reason: StopReason | None = None
        self._end = Told()
        self._thinking = False

    @property
    def end(self) -> Told:
        """The last piece: why the text ended, and the count."""
        return self._end._replace(reason=self.reason)

    def take(self, event: Mapping[str, Any]) -> Iterator[Told]:
        """The pieces in one event.

        Raises:
            ModelUnusable: it is of another form.
        """
        if isinstance(usage := event.get("usage"), dict):
            self._count(usage)
        choices = event.get("choices")
        if not isinstance(choices, list):
            raise unusable("does not answer with choices")
        for choice in choices[:1]:
            if not isinstance(choice, dict):
                raise unusable("does not answer with choices")
            said = choice.get("delta") or choice.get("message") or choice
            said = said if isinstance(said, dict) else {}
            thought = _text(said.get("reasoning_content") or said.get("reasoning"))
            text = _text(said.get("content") or said.get("text"))
            if thought:
                yield Told(thought if self._thinking else f"<think>\n{thought}")
                self._thinking = True
            if text:
                yield Told(f"\n</think>\n\n{text}" if self._thinking else text)
                self._thinking = False
            if choice.get("finish_reason") is not None:
                self.reason = _REASONS.get(choice["finish_reason"], "eos")

    def _count(self, usage: Mapping[str, Any]) -> None:
        prompt, generated = bounds.count(usage.get("prompt_tokens")), bounds.count(usage.get("completion_tokens"))
        details = usage.get("prompt_tokens_details")
        cached = bounds.count(details.get("cached_tokens")) if isinstance(details, dict) else 0
        self._end = Told(
            prompt=prompt or None, evaluated=max(0, prompt - cached) if cached else None, generated=generated or None
        )


def _text(value: object) -> str:
    """Text of an answer; none where the field is missing.

    Raises:
        ModelUnusable: it is something else.
    """
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise unusable("does not answer with text")
    return value


__all__ = ["MESSAGES", "CompletionEngine", "CompletionSession"]
