"""Drawing the next token with llama.cpp's samplers, freely or under a grammar (GBNF).

A vocabulary may have 262,144 tokens. Only the likeliest few are handed to the samplers and to the grammar, and all of
them only where the few might decide it wrongly.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from typing import Any

from hds_cli.engine.base import Sampling
from hds_cli.engine.llama.vocabulary import Vocabulary
from hds_cli.errors import ModelUnusable

Draw = Callable[[Any, int], int]
"""From a context and a token of its last batch to the token that follows."""

_FEW = 256  # the likeliest tokens that a grammar is asked about at first
_APART = 30.0  # e**-30 of the likeliest token's weight for each of 262,144 others is less than a float can tell


@contextlib.contextmanager
def sampler(api: Any, vocabulary: Vocabulary, sampling: Sampling, grammar: str | None) -> Iterator[Draw]:
    """A sampler that draws the next token. `api` is llama-cpp-python's low-level module.

    Drawing raises ModelUnusable when the model's numbers are none.
    """
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    rules = None
    try:
        if sampling.temperature > 0:
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
            yield _Draw(api, vocabulary, chain, sampling)
            return
        rules = api.llama_sampler_init_grammar(vocabulary.pointer, grammar.encode(), b"root")
        if not rules:
            raise ValueError("llama.cpp does not accept this grammar")
        yield _GrammarDraw(api, vocabulary, chain, sampling, rules)
    finally:
        api.llama_sampler_free(chain)
        if rules:
            api.llama_sampler_free(rules)


class _Draw:
    """Draws a token freely."""

    def __init__(self, api: Any, vocabulary: Vocabulary, chain: Any, sampling: Sampling) -> None:
        import numpy as np

        self._np, self._api, self._chain = np, api, chain
        self._temperature, self._few = max(0.0, sampling.temperature), sampling.sampling_top_k
        self._size = vocabulary.size
        self._kind = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)], align=True)

    def __call__(self, context: Any, index: int) -> int:
        return self._free(*self._numbers(context, index))

    def _numbers(self, context: Any, index: int) -> tuple[Any, int]:
        """The logits of a token of the batch, and the likeliest token after it."""
        pointer = self._api.llama_get_logits_ith(context, index)
        logits = self._np.ctypeslib.as_array(pointer, shape=(self._size,))
        best = int(logits.argmax())  # one that is not a number comes before any number
        if not self._np.isfinite(logits[best]):
            raise ModelUnusable("the model computes no numbers (NaN); its file is broken", hint="another GGUF file")
        return logits, best

    def _free(self, logits: Any, best: int) -> int:
        if self._temperature == 0:
            return best
        if self._few:
            return self._drawn(self._candidates(logits, self._few))
        least = logits[best] - _APART * self._temperature
        return self._drawn(self._as_candidates(logits, self._np.flatnonzero(logits >= least)))

    def _drawn(self, candidates: Any) -> int:
        """The token that the chain of samplers draws of `candidates`; the likeliest at temperature 0."""
        if self._temperature == 0:
            return int(candidates["id"][candidates["logit"].argmax()])
        array = self._array(candidates)
        self._api.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def _candidates(self, logits: Any, few: int) -> Any:
        """The `few` likeliest tokens, as llama.cpp takes them; maybe more, when several are equal."""
        few_ids = self._likeliest(logits, few) if few < self._size else self._np.arange(self._size)
        return self._as_candidates(logits, few_ids)

    def _as_candidates(self, logits: Any, ids: Any) -> Any:
        candidates = self._np.zeros(len(ids), dtype=self._kind)
        candidates["id"], candidates["logit"] = ids, logits[ids]
        return candidates

    def _likeliest(self, logits: Any, few: int) -> Any:
        """The ids of the `few` largest of the logits, the largest first.

        The smallest of the `few` largest maxima of blocks is a bound that few logits reach: twenty times as fast as
        `argpartition` over 262,144 (4 ms).
        """
        np = self._np
        width = max(1, self._size // (4 * few))
        blocks = self._size // width
        maxima = logits[: blocks * width].reshape(blocks, width).max(axis=1)
        bound = np.partition(maxima, blocks - few)[blocks - few] if few < blocks else -np.inf
        ids = np.flatnonzero(logits >= bound)
        return ids[np.argsort(-logits[ids], kind="stable")]

    def _array(self, data: Any) -> Any:
        pointer = data.ctypes.data_as(ctypes.POINTER(self._api.llama_token_data))
        return self._api.llama_token_data_array(data=pointer, size=len(data), selected=-1, sorted=False)


class _GrammarDraw(_Draw):
    """Draws a token under a grammar: first freely, and only when the grammar forbids that token among the allowed."""

    def __init__(self, api: Any, vocabulary: Vocabulary, chain: Any, sampling: Sampling, rules: Any) -> None:
        super().__init__(api, vocabulary, chain, sampling)
        self._rules, self._vocabulary = rules, vocabulary

    def __call__(self, context: Any, index: int) -> int:
        logits, best = self._numbers(context, index)
        token = self._free(logits, best)
        if not self._allowed(token):
            token = self._drawn(self._ruled(logits))
        self._api.llama_sampler_accept(self._rules, token)
        self._api.llama_sampler_accept(self._chain, token)
        return token

    def _ruled(self, logits: Any) -> Any:
        """The likeliest tokens that the grammar allows: enough of them to draw as if all had been looked at."""
        if self._size > _FEW:
            candidates = self._candidates(logits, _FEW)
            least = float(candidates["logit"][-1])
            allowed = self._of_grammar(candidates)
            if self._decides(allowed, least):
                return allowed
        candidates = self._as_candidates(logits, self._possible())
        allowed = self._of_grammar(candidates)
        return allowed if len(allowed) else candidates

    def _possible(self) -> Any:
        """The tokens that begin with a character that may come next; the others need not be asked about."""
        alone, groups = self._vocabulary.beginnings()
        asked = self._as_candidates(self._np.zeros(self._size, dtype=self._np.float32), alone)
        wrong = self._np.zeros(len(alone) + 1, dtype=bool)  # the last for group -1
        wrong[: len(alone)] = ~self._np.isin(alone, self._of_grammar(asked)["id"])
        return self._np.flatnonzero(~wrong[groups])

    def _of_grammar(self, candidates: Any) -> Any:
        """Those of the candidates that the grammar allows; it marks the others in place."""
        array = self._array(candidates)
        self._api.llama_sampler_apply(self._rules, ctypes.byref(array))
        return candidates[candidates["logit"] > -self._np.inf]

    def _decides(self, allowed: Any, least: float) -> bool:
        """True when no token below the logit `least` can change what is drawn of `allowed`."""
        if not len(allowed) or self._temperature == 0:
            return bool(len(allowed))
        most = float(allowed["logit"].max())
        return 0 < self._few <= len(allowed) or most - least > _APART * self._temperature

    def _allowed(self, token: int) -> bool:
        one = self._np.zeros(1, dtype=self._kind)
        one["id"] = token
        return len(self._of_grammar(one)) > 0
