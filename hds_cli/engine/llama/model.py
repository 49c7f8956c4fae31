"""A GGUF model in this process, through llama.cpp: the weights, the vocabulary, and sessions of one decoder."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hds_cli.engine.base import ChatTemplate, ModelSpec, Segment
from hds_cli.engine.files import models
from hds_cli.engine.files.fit import Fit
from hds_cli.engine.files.known import MAX_DEFAULT_CTX
from hds_cli.engine.llama.adapters import Adapters, mark
from hds_cli.engine.llama.api import build, load_api, quiet
from hds_cli.engine.llama.decoder import BATCH, Decoder
from hds_cli.engine.llama.keeping import Keeping
from hds_cli.engine.llama.scoring import Scorer
from hds_cli.engine.llama.session import LlamaSession
from hds_cli.engine.llama.thread_count import Others, ThreadCount, usable
from hds_cli.engine.llama.vocabulary import Vocabulary
from hds_cli.engine.shelf import Shelf
from hds_cli.errors import ModelError, ModelUnusable
from hds_cli.types import ModelInfo

_NUMBERS = 8  # sequences that share the cells of `n_ctx` tokens: a run, its forks and asides; each costs 0.2 MB
_STATES = 4  # sequences of a model with a recurrent state; each costs 50 MB with Qwen3.5-4B


class LlamaEngine:
    """A GGUF model, with a LoRA adapter if its spec names one.

    The constructor trusts the file: `opening.open_engine` has an unknown one tried in a process of its own before.
    The context is made with the first session, or at once where keys and values are to be in 8 bits. It has cells for
    `sequences` times `n_ctx` tokens, which any number of sessions share: when they run out, a session that is not
    written loses its cells and is evaluated anew, and of those that are written the last one waits.

    Sums of floats depend on the batch, and on where in the context the cells lie: with others at work, logits move by
    as much as from one number of threads to another (up to 1 with a 4-bit model of 135M parameters), and a close choice
    may fall otherwise. `apart` keeps them equal to the bit, for the price of what batches and shared cells save.

    Args:
        n_ctx: tokens that one session can hold; None: what the spec or the model says, at most `MAX_DEFAULT_CTX`.
        n_threads: threads of the model; None: one per core.
        gives_way: fewer threads work while others hold a core (`thread_count`); None: where `n_threads` is None.
        n_gpu_layers: -1: as many as fit.
        sequences: sessions of full length that fit at once.
        apart: each sequence has cells and batches of its own, so what is written is the same whatever else is. Only
            `sequences` of them are held at once; a fork copies its cells.
        shelf: keeps the beginnings of prompts, evaluated, from one start to the next.
        sha256, lora_sha256: checksums of the files, for `info` and saved states.
        fitted: how it fits the memory; None: as llama.cpp's defaults have it.
        n_batch: tokens of a batch; None: `BATCH`.

    Raises:
        ModelMissing: there is no such file.
        ModelUnusable: it is not a GGUF file, is cut off, or llama.cpp does not support it.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        n_ctx: int | None = None,
        n_threads: int | None = None,
        gives_way: bool | None = None,
        n_gpu_layers: int = -1,
        sequences: int = 1,
        apart: bool = False,
        shelf: Shelf | None = None,
        sha256: str | None = None,
        lora_sha256: str | None = None,
        fitted: Fit | None = None,
        n_batch: int | None = None,
    ) -> None:
        self.header = models.read_header(spec.path)
        self.spec = spec
        self._others = Others()  # measured from here on: loading takes long enough to see the load of the machine
        self._api = load_api()
        self._log = quiet(self._api)
        self._fitted, self._batch = fitted or Fit(0), n_batch or BATCH
        self.notes = (self._fitted.note,) if self._fitted.note else ()
        self._model, layers = self._load(spec.path, n_gpu_layers)
        self._vocabulary = Vocabulary(self._api, self._model)
        trained = int(self._api.llama_model_n_ctx_train(self._model)) or MAX_DEFAULT_CTX
        self._n_ctx = n_ctx or min(spec.n_ctx or MAX_DEFAULT_CTX, trained)
        self._threads, self._sequences, self._apart = n_threads or usable(), sequences, apart
        self._gives_way = (not n_threads if gives_way is None else gives_way) and layers < self._blocks()
        self._adapters = Adapters(self._api, self._model, self._log.last)
        self._keeping = Keeping(shelf, self._identity) if shelf else None
        self._lock = threading.Lock()
        self._decoder: Decoder | None = None
        dialect, self.dialect_reason = models.dialect_of(self.header, spec)
        self.info = ModelInfo(
            name=spec.name,
            file=str(spec.path),
            sha256=sha256,
            quantization=self.header.quantization,
            engine="llama_cpp",
            dialect=dialect,
            n_ctx=self._n_ctx,
            n_gpu_layers=layers,
            lora=lora_sha256,
            kv=self._fitted.kv,
            n_batch=self._batch,
        )
        try:
            self._adapter = self._adapters.at(spec.lora) if spec.lora else None
            if self._fitted.kv == "q8_0":  # whether they can be is known once there is a context
                self._decoder = self._open()
        except ModelError:
            self.close()
            raise

    def session(self) -> LlamaSession:
        """A session that holds nothing yet.

        Raises:
            ModelUnusable: there is not enough memory for the context.
        """
        with self._lock:
            if self._decoder is None:
                self._decoder = self._open()
        return LlamaSession(
            self._api, self._decoder, self._vocabulary, self._n_ctx, self._identity, keeping=self._keeping
        )

    def scorer(self, adapter: Path | None) -> Scorer:
        """A context beside the sessions', over the same weights, with an adapter of its own; closed before the engine.

        Raises:
            ModelMissing, ModelUnusable: there is no such adapter, it does not load, or there is not enough memory.
        """
        if not self._model:
            raise ModelUnusable("the engine is closed")
        loaded = self._adapters.at(adapter) if adapter else None
        count = ThreadCount(self._threads) if self._gives_way else None
        return Scorer(self._api, self._model, loaded, threads=self._threads, count=count)

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        """Token ids; only trusted segments may form special tokens.

        Raises:
            ValueError: untrusted text became a control token all the same.
        """
        return self._vocabulary.tokenize(segments)

    def piece(self, token: int) -> bytes:
        """The bytes of a token; a control token has none."""
        return self._vocabulary.piece(token)

    def walk_vocabulary(self) -> int:
        """Look at every token once, as a run may; returns how many there are."""
        return self._vocabulary.walk()

    def count(self, segments: Sequence[Segment]) -> int:
        return sum(map(len, self._vocabulary.pieces(segments, check=False)))

    def chat_template(self) -> ChatTemplate | None:
        if self.header.chat_template is None:
            return None
        return ChatTemplate(
            self.header.chat_template, self._vocabulary.bos, self._vocabulary.eos, self._vocabulary.adds_bos
        )

    def renew(self) -> None:
        """Give the context back, with what is being written; the next session makes a new one."""
        with self._lock:
            decoder, self._decoder = self._decoder, None
        if decoder is not None:
            decoder.close()

    def close(self) -> None:
        """Give everything back; what is being written ends."""
        self.renew()
        if self._model:
            self._api.llama_model_free(self._model)
            self._model = None

    def _load(self, path: Path, n_gpu_layers: int) -> tuple[Any, int]:
        api = self._api
        offload = bool(api.llama_supports_gpu_offload())
        blocks = self._blocks() if self._fitted.layers is None else self._fitted.layers
        tries = [n_gpu_layers] if n_gpu_layers >= 0 else [blocks, blocks * 3 // 4, blocks // 2, blocks // 4, 0]
        for layers in tries if offload else [0]:
            params = api.llama_model_default_params()
            params.n_gpu_layers = layers
            # GCC 12 drops stores before `ldtilecfg`, and a llama.cpp built so ends the process on Intel AMX; the tiles
            # are used for weights in such buffers only.
            params.use_extra_bufts = b"AMX_INT8 = 1" not in api.llama_print_system_info()
            model = api.llama_model_load_from_file(os.fsencode(path), params)
            if model:
                return model, layers
        raise ModelUnusable(
            f"llama.cpp cannot load {path}: {self._log.last() or 'no reason given'}",
            hint="pip install --upgrade llama-cpp-python   or another GGUF file",
        )

    def _blocks(self) -> int:
        """Layers that can go to a GPU; those of the model, and the one of its output."""
        return int(self.header.metadata.get(f"{self.header.metadata.get('general.architecture')}.block_count", 0)) + 1

    def _open(self) -> Decoder:
        """The context of all sessions, and who works in it."""
        api = self._api
        # A recurrent state is not made of cells: each sequence has room for one from the start.
        recurrent = api.llama_model_is_recurrent(self._model) or api.llama_model_is_hybrid(self._model)
        each = 1 if self._apart else _STATES if recurrent else _NUMBERS
        numbers = min(each * self._sequences, api.llama_max_parallel_sequences())
        params = api.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = self._n_ctx * self._sequences, self._batch, self._batch
        params.n_seq_max, params.n_outputs_max, params.kv_unified = numbers, numbers, not self._apart
        params.n_threads = params.n_threads_batch = self._threads
        params.no_perf = True
        params.swa_full = True  # all of a sliding window's keys stay, so that a sequence can be cut back to any token
        if self._fitted.kv == "q8_0":
            params.type_k = params.type_v = api.GGML_TYPE_Q8_0
        context = api.llama_init_from_model(self._model, params)
        if not context and self._fitted.kv == "q8_0":  # its heads are not whole blocks, or nothing computes on them
            params.type_k = params.type_v = api.GGML_TYPE_F16
            context = api.llama_init_from_model(self._model, params)
            self._fitted = self._fitted.in_16_bits()
            self.notes, self.info = (self._fitted.note,), replace(self.info, kv=self._fitted.kv)
        if not context:
            raise ModelUnusable(
                f"llama.cpp cannot make a context of {params.n_ctx} tokens: {self._log.last() or 'not enough memory?'}",
                hint="hds ask --n-ctx 4096 …",
            )
        if self._adapter:
            adapters = (api.llama_adapter_lora_p_ctypes * 1)(self._adapter)
            api.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0))
        count = ThreadCount(self._threads, self._others.free) if self._gives_way else None
        return Decoder(
            api, context, numbers, apart=self._apart, rewinds=not recurrent, n_batch=self._batch, count=count
        )

    def _identity(self) -> dict[str, Any]:
        """What a saved state has to match: files, adapter, build and sizes."""
        return {
            "model": mark(self.spec.path, self.info.sha256),
            "adapter": mark(self.spec.lora, self.info.lora) if self.spec.lora else None,
            "build": f"llama_cpp {build()}",
            "system": self._api.llama_print_system_info().decode("utf-8", "replace").strip(),
            "n_ctx": self._n_ctx,
            "apart": self._apart,
            "n_gpu_layers": self.info.n_gpu_layers,
            "kv": self._fitted.kv,
            "n_batch": self._batch,
        }
