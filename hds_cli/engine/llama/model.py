"""llama.cpp in this process, through llama-cpp-python's low-level API. The only file that imports llama_cpp.

A session is one growing token sequence whose evaluated part stays in the KV cache; the high-level API would evaluate
it anew in places, and cannot be stopped in the middle of a batch.
"""

from __future__ import annotations

import ctypes
import os
import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hds_cli.engine import trial
from hds_cli.engine.base import ChatTemplate, Counter, Generation, ModelSpec, OnText, Sampling, Segment, StopReason
from hds_cli.engine.files import models
from hds_cli.engine.llama.sampling import sampler
from hds_cli.engine.llama.stops import StopText, repeats
from hds_cli.errors import ModelMissing, ModelUnusable
from hds_cli.types import ModelInfo

MAX_DEFAULT_CTX = 16_384  # a Qwen3-8B then keeps 2.4 GB of keys and values
_BATCH = 512
_LOOK = 32  # tokens between two looks at whether the model repeats itself


class LlamaEngine:
    """A GGUF model, with a LoRA adapter if its spec names one.

    Args:
        n_ctx: context length in tokens; None: what the spec or the model says, at most `MAX_DEFAULT_CTX`.
        n_threads: None: one per core.
        n_gpu_layers: -1: as many as fit.
        tried: the file is known to load, or a crash of this process is no matter (see `trial.py`).

    Raises:
        ModelMissing: there is no such file.
        ModelUnusable: it is not a GGUF file, is cut off, or llama.cpp does not support it or crashes on it.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        n_ctx: int | None = None,
        n_threads: int | None = None,
        n_gpu_layers: int = -1,
        tried: bool = False,
    ) -> None:
        self.header = models.read_header(spec.path)
        digest = None if tried else models.fingerprint(spec.path)
        trial.ensure(spec.path, digest)
        self.spec = spec
        self._api = _import()
        self._stop = threading.Event()
        self._log = _quiet(self._api)
        self._model, layers = self._load(spec.path, n_gpu_layers)
        self.vocab = self._api.llama_model_get_vocab(self._model)
        trained = int(self._api.llama_model_n_ctx_train(self._model)) or MAX_DEFAULT_CTX
        self._n_ctx = n_ctx or min(spec.n_ctx or MAX_DEFAULT_CTX, trained)
        self._threads = n_threads or os.cpu_count() or 1
        self._adapter = self._load_adapter(spec.lora) if spec.lora else None
        self._sessions: list[LlamaSession] = []
        self.info = ModelInfo(
            name=spec.name,
            file=str(spec.path),
            sha256=digest,
            quantization=self.header.quantization,
            engine="llama_cpp",
            dialect="hds" if self.header.looks_like_searcher else "",
            n_ctx=self._n_ctx,
            n_gpu_layers=layers,
            lora=models.fingerprint(spec.lora) if spec.lora else None,
        )

    def _load(self, path: Path, n_gpu_layers: int) -> tuple[Any, int]:
        api = self._api
        offload = bool(api.llama_supports_gpu_offload())
        blocks = int(self.header.metadata.get(f"{self.header.metadata.get('general.architecture')}.block_count", 0)) + 1
        tries = [n_gpu_layers] if n_gpu_layers >= 0 else [blocks, blocks * 3 // 4, blocks // 2, blocks // 4, 0]
        for layers in tries if offload else [0]:
            params = api.llama_model_default_params()
            params.n_gpu_layers = layers
            model = api.llama_model_load_from_file(os.fsencode(path), params)
            if model:
                return model, layers
        raise ModelUnusable(
            f"llama.cpp cannot load {path}: {self._log.last() or 'no reason given'}",
            hint="pip install --upgrade llama-cpp-python   or another GGUF file",
        )

    def _load_adapter(self, path: Path) -> Any:
        if not path.exists():
            raise ModelMissing(f"there is no adapter {path}")
        adapter = self._api.llama_adapter_lora_init(self._model, os.fsencode(path))
        if not adapter:
            raise ModelUnusable(f"llama.cpp cannot load the adapter {path}: {self._log.last() or 'no reason given'}")
        return adapter

    def session(self) -> LlamaSession:
        session = LlamaSession(self)
        self._sessions.append(session)
        return session

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        """Token ids; only trusted segments may form special tokens.

        Raises:
            ValueError: untrusted text became a control token all the same.
        """
        ids: list[int] = []
        for text, trusted in segments:
            piece = self._tokenize(text, trusted)
            if not trusted:
                control = self._api.LLAMA_TOKEN_ATTR_CONTROL
                if any(self._api.llama_vocab_get_attr(self.vocab, i) & control for i in piece):
                    raise ValueError("untrusted text became a control token")
            ids += piece
        return ids

    def _tokenize(self, text: str, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        if not data:
            return []
        room = len(data) + 8
        buffer = (self._api.llama_token * room)()
        count = self._api.llama_tokenize(self.vocab, data, len(data), buffer, room, False, special)
        if count < 0:
            buffer = (self._api.llama_token * -count)()
            count = self._api.llama_tokenize(self.vocab, data, len(data), buffer, -count, False, special)
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes of a token; a control token has none."""
        size = 64
        buffer = ctypes.create_string_buffer(size)
        count = self._api.llama_token_to_piece(self.vocab, token, buffer, size, 0, False)
        if count < 0:
            buffer = ctypes.create_string_buffer(-count)
            count = self._api.llama_token_to_piece(self.vocab, token, buffer, -count, 0, False)
        return buffer.raw[:count]

    def walk_vocabulary(self) -> int:
        """Look at every token once, as a run may; returns how many there are."""
        count = int(self._api.llama_vocab_n_tokens(self.vocab))
        for token in range(count):
            self.piece(token)
            self._api.llama_vocab_get_attr(self.vocab, token)
        return count

    def is_end(self, token: int) -> bool:
        return bool(self._api.llama_vocab_is_eog(self.vocab, token))

    def count(self, segments: Sequence[Segment]) -> int:
        return sum(len(self._tokenize(text, trusted)) for text, trusted in segments)

    def chat_template(self) -> ChatTemplate | None:
        if self.header.chat_template is None:
            return None
        api = self._api
        return ChatTemplate(
            self.header.chat_template,
            self._text_of(api.llama_vocab_bos(self.vocab)),
            self._text_of(api.llama_vocab_eos(self.vocab)),
        )

    def _text_of(self, token: int) -> str:
        return "" if token < 0 else self._api.llama_vocab_get_text(self.vocab, token).decode("utf-8", "replace")

    def abort(self) -> None:
        self._stop.set()

    def resume(self) -> None:
        self._stop.clear()

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self._sessions = []
        if self._model:
            self._api.llama_model_free(self._model)
            self._model = None

    # What sessions need; one engine's sessions share these.

    def _context(self) -> tuple[Any, Any]:
        api = self._api
        params = api.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = self._n_ctx, _BATCH, _BATCH
        params.n_threads = params.n_threads_batch = self._threads
        params.no_perf = True
        callback = api.ggml_abort_callback(lambda _: self._stop.is_set())
        context = api.llama_init_from_model(self._model, params)
        if not context:
            raise ModelUnusable(
                f"llama.cpp cannot make a context of {self._n_ctx} tokens: {self._log.last() or 'not enough memory?'}",
                hint="hds ask --n-ctx 4096 …",
            )
        api.llama_set_abort_callback(context, callback, None)
        if self._adapter:
            adapters = (api.llama_adapter_lora_p_ctypes * 1)(self._adapter)
            api.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0))
        return context, callback


class LlamaSession:
    """One growing sequence of tokens in a context of its own."""

    def __init__(self, engine: LlamaEngine) -> None:
        self._engine, self._api = engine, engine._api
        self._context, self._callback = engine._context()
        self._memory = self._api.llama_get_memory(self._context)
        self._tokens: list[int] = []
        self._evaluated = 0  # how many of them the KV cache holds
        self.counter = Counter()

    @property
    def n_ctx(self) -> int:
        return self._engine.info.n_ctx

    @property
    def used(self) -> int:
        return len(self._tokens)

    def append(self, segments: Sequence[Segment]) -> int:
        ids = self._engine.tokenize(segments)
        self._tokens += ids
        self.counter.prompt += len(ids)
        return len(ids)

    def mark(self) -> int:
        return len(self._tokens)

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        ids = self._engine.tokenize(segments)
        shared = 0
        for old, new in zip(self._tokens[mark : self._evaluated], ids, strict=False):
            if old != new:
                break
            shared += 1
        if mark + shared < len(self._tokens):
            self._forget(mark + shared)
        self._tokens[mark:] = ids
        self.counter.prompt += len(ids)
        self.counter.reused += shared
        return len(ids)

    def close(self) -> None:
        if self._context:
            self._api.llama_free(self._context)
            self._context = None

    def _forget(self, keep: int) -> None:
        if keep >= self._evaluated:
            return
        if self._api.llama_memory_seq_rm(self._memory, 0, keep, -1):
            self._evaluated = keep
        else:  # recurrent models cannot go back a part of the way
            self._api.llama_memory_clear(self._memory, True)
            self._evaluated = 0

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        started = time.monotonic()
        first = len(self._tokens)
        text = StopText(stop, on_text)
        reason: StopReason = "length"
        with sampler(self._api, self._engine.vocab, sampling, grammar) as draw:
            for _ in range(max_tokens):
                if len(self._tokens) >= self.n_ctx:
                    reason = "context"
                    break
                if not self._evaluate():
                    reason = "aborted"
                    break
                token = draw(self._context)
                self.counter.generated += 1
                if self._engine.is_end(token):
                    reason = "eos"
                    break
                self._tokens.append(token)
                if text.feed(self._engine.piece(token)):
                    reason = "stop"
                    break
                if (len(self._tokens) - first) % _LOOK == 0 and repeats(text.value):
                    reason = "loop"
                    break
        text.finish()
        written = len(self._tokens) - first
        if text.excess:
            self._cut(first, text.value)
        self.counter.seconds += time.monotonic() - started
        return Generation(text.value, reason, text.stop, written)

    def _evaluate(self) -> bool:
        """Run what is not in the KV cache yet through the model; False when it was stopped."""
        if self._evaluated == len(self._tokens):
            self._forget(len(self._tokens) - 1)  # the last token's logits are needed
        while self._evaluated < len(self._tokens):
            if self._engine._stop.is_set():
                return False
            chunk = self._tokens[self._evaluated : self._evaluated + _BATCH]
            array = (self._api.llama_token * len(chunk))(*chunk)
            result = self._api.llama_decode(self._context, self._api.llama_batch_get_one(array, len(chunk)))
            if result == 2:
                self._api.llama_memory_seq_rm(self._memory, 0, self._evaluated, -1)
                return False
            if result != 0:
                raise ModelUnusable(f"llama.cpp could not evaluate a batch (code {result})")
            self._evaluated += len(chunk)
            self.counter.evaluated += len(chunk)
        return True

    def _cut(self, first: int, keep: str) -> None:
        """Drop what was written after `keep`: whole tokens first, then the split one is written again."""
        data = keep.encode()
        size, at = 0, first
        while at < len(self._tokens):
            piece = self._engine.piece(self._tokens[at])
            if size + len(piece) > len(data):
                break
            size, at = size + len(piece), at + 1
        self._forget(at)
        del self._tokens[at:]
        rest = data[size:].decode("utf-8", "replace")
        self._tokens += self._engine._tokenize(rest, False)


def build_info() -> dict[str, str | bool]:
    """The llama.cpp that is installed: version, whether layers can go to a GPU, and what it was built for.

    Raises:
        ModelUnusable: it does not load.
    """
    api = _import()
    from importlib.metadata import version

    said = api.llama_print_system_info().decode("utf-8", "replace")
    return {
        "version": version("llama-cpp-python"),
        "gpu_offload": bool(api.llama_supports_gpu_offload()),
        "features": " ".join(re.findall(r"(\w+) = 1", said)),
    }


class _Log:
    """Keeps llama.cpp's last words of error instead of printing them."""

    def __init__(self, api: Any) -> None:
        self._lines: list[str] = []
        self._callback = api.llama_log_callback(self._take)
        api.llama_log_set(self._callback, None)

    def _take(self, level: int, text: bytes, _: Any) -> None:
        if level >= 4 and (line := text.decode("utf-8", "replace").strip()):  # 4: GGML_LOG_LEVEL_ERROR
            self._lines = [*self._lines[-9:], line]

    def last(self) -> str:
        """The first of the last errors: later ones only say that it failed."""
        return self._lines[0] if self._lines else ""


_log: _Log | None = None


def _quiet(api: Any) -> _Log:
    global _log
    if _log is None:
        _log = _Log(api)  # llama.cpp holds one callback for the process; it must outlive every model
    _log._lines = []
    return _log


def _import() -> Any:
    try:
        import llama_cpp.llama_cpp as api
    except (ImportError, OSError, RuntimeError) as exc:
        raise ModelUnusable(
            f"llama-cpp-python does not load: {exc}", hint="pip install --force-reinstall llama-cpp-python"
        ) from exc
    api.llama_backend_init()
    return api
