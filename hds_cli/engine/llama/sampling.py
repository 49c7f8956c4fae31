"""Drawing the next token with llama.cpp's samplers, freely or under a grammar (GBNF)."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from typing import Any

from hds_cli.engine.base import Sampling

Draw = Callable[[Any, int], int]
"""From a context and a token of its last batch to the token that follows."""


@contextlib.contextmanager
def sampler(api: Any, vocab: Any, sampling: Sampling, grammar: str | None) -> Iterator[Draw]:
    """A sampler that draws the next token. `api` is llama-cpp-python's low-level module."""
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    rules = None
    try:
        if sampling.temperature <= 0:
            api.llama_sampler_chain_add(chain, api.llama_sampler_init_greedy())
        else:
            if sampling.temperature_first:
                api.llama_sampler_chain_add(chain, api.llama_sampler_init_temp(sampling.temperature))
            if sampling.sampling_top_k > 0:
                api.llama_sampler_chain_add(chain, api.llama_sampler_init_top_k(sampling.sampling_top_k))
            if sampling.top_p < 1:
                api.llama_sampler_chain_add(chain, api.llama_sampler_init_top_p(sampling.top_p, 1))
            if sampling.min_p > 0:
                api.llama_sampler_chain_add(chain, api.llama_sampler_init_min_p(sampling.min_p, 1))
            if not sampling.temperature_first:
                api.llama_sampler_chain_add(chain, api.llama_sampler_init_temp(sampling.temperature))
            api.llama_sampler_chain_add(chain, api.llama_sampler_init_dist(sampling.seed & 0xFFFFFFFF))
        if grammar is None:
            yield lambda context, index: int(api.llama_sampler_sample(chain, context, index))
            return
        rules = api.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
        if not rules:
            raise ValueError("llama.cpp does not accept this grammar")
        yield _GrammarDraw(api, vocab, chain, rules)
    finally:
        api.llama_sampler_free(chain)
        if rules:
            api.llama_sampler_free(rules)


class _GrammarDraw:
    """Draws a token under a grammar: first freely, and only when the grammar forbids that token among the allowed."""

    def __init__(self, api: Any, vocab: Any, chain: Any, rules: Any) -> None:
        import numpy as np

        self._np, self._api, self._chain, self._rules = np, api, chain, rules
        self._size = int(api.llama_vocab_n_tokens(vocab))
        kind = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)], align=True)
        self._data = np.recarray((self._size,), dtype=kind)

    def __call__(self, context: Any, index: int) -> int:
        token = self._draw(context, index, ruled=False)
        if not self._allowed(token):
            token = self._draw(context, index, ruled=True)
        self._api.llama_sampler_accept(self._rules, token)
        self._api.llama_sampler_accept(self._chain, token)
        return token

    def _draw(self, context: Any, index: int, *, ruled: bool) -> int:
        logits = self._np.ctypeslib.as_array(self._api.llama_get_logits_ith(context, index), shape=(self._size,))
        self._data.id[:] = self._np.arange(self._size, dtype=self._np.int32)
        self._data.logit[:] = logits
        self._data.p[:] = 0.0
        array = self._array(self._data, self._size)
        if ruled:
            self._api.llama_sampler_apply(self._rules, ctypes.byref(array))
        self._api.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def _allowed(self, token: int) -> bool:
        one = self._np.recarray((1,), dtype=self._data.dtype)
        one.id[0], one.logit[0], one.p[0] = token, 1.0, 0.0
        array = self._array(one, 1)
        self._api.llama_sampler_apply(self._rules, ctypes.byref(array))
        return bool(array.data[0].logit != float("-inf"))

    def _array(self, data: Any, size: int) -> Any:
        pointer = data.ctypes.data_as(ctypes.POINTER(self._api.llama_token_data))
        return self._api.llama_token_data_array(data=pointer, size=size, selected=-1, sorted=False)
