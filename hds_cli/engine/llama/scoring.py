"""The logits of a few tokens after many endings of one beginning, in a context of its own beside the sessions'."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from hds_cli.engine.llama.api import StopFlag
from hds_cli.engine.llama.thread_count import ThreadCount, evaluate, failed
from hds_cli.errors import ModelUnusable

BEGINNING, ENDINGS = 512, 1024  # tokens: of a beginning, and of all its endings that are evaluated at once
MOST = 16  # endings that are evaluated at once
_PART = 512  # tokens of a batch that are computed at once


class Scorer:
    """Evaluates endings of a shared beginning: the beginning once, then all its endings in one batch.

    The context has an adapter of its own, so the sessions of the same weights are as they were.

    Args:
        adapter: a LoRA adapter of the model, which was loaded before; None: the weights alone.
        threads: of the evaluation.
        count: says how many of them evaluate a batch; None: all.

    Raises:
        ModelUnusable: there is not enough memory for the context.
    """

    def __init__(self, api: Any, model: Any, adapter: Any, *, threads: int, count: ThreadCount | None = None) -> None:
        self._api, self._count = api, count
        params = api.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = BEGINNING + ENDINGS, ENDINGS, _PART
        params.n_seq_max, params.n_outputs_max, params.kv_unified = MOST + 1, MOST + 1, True
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self._context = api.llama_init_from_model(model, params)
        if not self._context:
            raise ModelUnusable(
                "llama.cpp cannot make a context for the verifier: not enough memory?", hint="hds ask --no-verify …"
            )
        if adapter:
            api.llama_set_adapters_lora(
                self._context, (api.llama_adapter_lora_p_ctypes * 1)(adapter), 1, (ctypes.c_float * 1)(1.0)
            )
        self._memory = api.llama_get_memory(self._context)
        self._batch = api.llama_batch_init(ENDINGS, 0, 1)
        self._flag = StopFlag(api)
        self._flag.watch(api, self._context)
        self._held: list[int] = []

    def logits(
        self, beginning: Sequence[int], endings: Sequence[Sequence[int]], tokens: Sequence[int]
    ) -> list[list[float]]:
        """The logits of `tokens` after each ending, in their order.

        Args:
            beginning: ids, at most `BEGINNING`; evaluated once, and not again when it is the same as the last one.
            endings: ids, none empty, each at most `ENDINGS`.

        Raises:
            ModelUnusable: a text is too long, or llama.cpp fails.
            TimeoutError: `abort` was called.
        """
        if not 0 < len(beginning) <= BEGINNING or not all(0 < len(ending) <= ENDINGS for ending in endings):
            raise ModelUnusable("a text is too long to be verified at once")
        if self._held != list(beginning):
            self._held = []
            self._api.llama_memory_clear(self._memory, True)
            self._decode([(0, 0, beginning)], outputs=False)
            self._held = list(beginning)
        found: list[list[float]] = []
        while len(found) < len(endings):
            found += self._together(self._fitting(endings[len(found) :]), tokens)
        return found

    def abort(self) -> None:
        """Make what is being evaluated, and all later work, end with a TimeoutError, until `resume`."""
        self._flag.set()

    def resume(self) -> None:
        """Let it work again after `abort`."""
        self._flag.clear()

    def close(self) -> None:
        """Give the context back, before the model is freed."""
        if self._context:
            self._api.llama_batch_free(self._batch)
            self._api.llama_free(self._context)
            self._context = None

    def _fitting(self, endings: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
        """As many of the first endings as fit into one batch."""
        size = count = 0
        while count < min(MOST, len(endings)) and size + len(endings[count]) <= ENDINGS:
            size, count = size + len(endings[count]), count + 1
        return endings[:count]

    def _together(self, endings: Sequence[Sequence[int]], tokens: Sequence[int]) -> list[list[float]]:
        api, start = self._api, len(self._held)
        for number in range(1, len(endings) + 1):
            api.llama_memory_seq_cp(self._memory, 0, number, -1, -1)
        try:
            ends = self._decode([(number, start, ids) for number, ids in enumerate(endings, 1)], outputs=True)
            logits = [api.llama_get_logits_ith(self._context, end) for end in ends]
            return [[float(row[token]) for token in tokens] for row in logits]
        finally:
            for number in range(1, len(endings) + 1):
                api.llama_memory_seq_rm(self._memory, number, -1, -1)

    def _decode(self, parts: Sequence[tuple[int, int, Sequence[int]]], *, outputs: bool) -> list[int]:
        """Evaluate (sequence, first place, ids); the places in the batch of each part's last token."""
        batch, at, ends = self._batch, 0, []
        for number, start, ids in parts:
            for place, token in enumerate(ids, start):
                batch.token[at], batch.pos[at], batch.n_seq_id[at] = token, place, 1
                batch.seq_id[at][0], batch.logits[at] = number, False
                at += 1
            batch.logits[at - 1] = outputs
            ends.append(at - 1)
        batch.n_tokens = at
        result = evaluate(self._api, self._context, batch, self._count)
        if result == 2:
            raise TimeoutError
        if result:
            raise failed(result)
        return ends
