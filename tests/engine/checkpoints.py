"""Tiny checkpoints as a hub has them: config.json, tokenizer.json and safetensors with random weights, written here."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

WORDS = "Ġthe Ġof Ġcapital Ġis Ġsearch Ġwhat ing tion Ġborder Oslo Ġ1 Ġ2 ĊĊ ĠĠ ĠĠĠĠ Ã¼ Ð°Ð".split()
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKS = ("<think>", "</think>")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)
CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
_QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA = _QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")


def _split(pattern: str) -> dict[str, Any]:
    steps = [{"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}, _bytes(False)]
    return {"type": "Sequence", "pretokenizers": steps}


def _bytes(regex: bool) -> dict[str, Any]:
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": regex}


RULES = {
    "qwen2": _split(_QWEN),
    "llama-bpe": _split(_LLAMA),
    "smollm": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, _bytes(True)]},
    "gpt-2": _bytes(True),
}


def tokenizer(
    pre: str = "qwen2", vocabulary: list[str] | None = None, merges: list[Any] | None = None
) -> dict[str, Any]:
    """A tokenizer.json of the rules that llama.cpp calls `pre`; all bytes and a few words, unless others are given."""
    if vocabulary is None or merges is None:
        vocabulary, merges = _made()
    count = len(vocabulary)
    added = [
        {"id": count + n, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": text in SPECIAL}
        for n, text in enumerate((*SPECIAL, *MARKS))
    ]  # fmt: skip
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
        "fuse_unk": False, "byte_fallback": False, "ignore_merges": pre == "llama-bpe",
        "vocab": {text: n for n, text in enumerate(vocabulary)}, "merges": merges,
    }  # fmt: skip
    normalizer = {"type": "NFC"} if pre == "qwen2" else None
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": normalizer,
        "pre_tokenizer": RULES[pre], "post_processor": None, "decoder": _bytes(True), "model": model,
    }  # fmt: skip


def _made() -> tuple[list[str], list[Any]]:
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]  # bytes as GPT-2 writes them
    vocabulary: list[str] = [chr(code) for code in shown] + [chr(0x100 + n) for n in range(256 - len(shown))]
    merges: list[Any] = []
    for word in WORDS:
        for end in range(2, len(word) + 1):
            if word[:end] not in vocabulary:
                vocabulary.append(word[:end])
                merges.append([word[: end - 1], word[end - 1]])
    return vocabulary, merges


def config(family: str = "qwen3", **more: Any) -> dict[str, Any]:
    """A config.json of two small layers."""
    said = {
        "architectures": [CLASSES[family]], "model_type": family, "hidden_size": 64, "intermediate_size": 96,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "vocab_size": 384,
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0, "hidden_act": "silu",
        "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "bfloat16",
    }  # fmt: skip
    if family != "qwen3":
        said["head_dim"] = 16
    return said | more


def write(folder: Path, said: Mapping[str, Any] | None = None, *, kind: str = "BF16", shards: int = 1, seed: int = 0,
          words: Mapping[str, Any] | None = None) -> Path:  # fmt: skip
    """A whole folder.

    Args:
        kind: the type of the weights: BF16, F16 or F32.
        shards: files that the weights are spread over.
        words: the tokenizer.json.
    """
    from hds_cli.engine.files.convert.architecture import architecture_of

    folder.mkdir(parents=True, exist_ok=True)
    said = config() if said is None else said
    shapes = architecture_of(dict(said)).tensors()
    numbers = np.random.default_rng(seed)
    tensors = {}
    for name, shape in shapes.items():
        values = numbers.standard_normal(shape, np.float32) * 0.15
        tensors[name] = values + 1 if name.endswith("norm.weight") else values
    (folder / "config.json").write_text(json.dumps(said))
    (folder / "tokenizer.json").write_text(json.dumps(words or tokenizer()))
    about = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "bos_token": None, "chat_template": TEMPLATE,
             "tokenizer_class": "PreTrainedTokenizerFast"}  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A tiny model\n")
    names = list(tensors)
    for number in range(shards):
        own = {name: tensors[name] for name in names[number::shards]}
        file = "model.safetensors" if shards == 1 else f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        (folder / file).write_bytes(safetensors(own, kind))
    return folder


def safetensors(tensors: Mapping[str, np.ndarray], kind: str = "BF16") -> bytes:
    """The bytes of a safetensors file."""
    described, body = {}, bytearray()
    for name, values in tensors.items():
        data = as_stored(values, kind).tobytes()
        described[name] = {
            "dtype": kind,
            "shape": list(values.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    head = json.dumps(described).encode()
    return struct.pack("<Q", len(head)) + head + body


def as_stored(values: np.ndarray, kind: str) -> np.ndarray:
    """F32 numbers in another type; BF16 as its 16 bits."""
    if kind == "BF16":
        return (np.ascontiguousarray(values, "<f4").view("<u4") >> 16).astype("<u2")
    return values.astype({"F16": "<f2", "F32": "<f4"}[kind])
