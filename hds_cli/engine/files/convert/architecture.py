"""The shape of a model by its config.json, for the families that are converted: llama, qwen2 and qwen3."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FAMILIES = {"LlamaForCausalLM": "llama", "Qwen2ForCausalLM": "qwen2", "Qwen3ForCausalLM": "qwen3"}
"""The class that config.json names, and the architecture as GGUF calls it."""
_MOST = {"num_hidden_layers": 1024, "num_attention_heads": 4096, "hidden_size": 1 << 17, "intermediate_size": 1 << 20,
         "vocab_size": 1 << 21, "max_position_embeddings": 1 << 30, "head_dim": 4096}  # fmt: skip
Values = dict[str, Any]


@dataclass(frozen=True)
class Rope:
    """How positions are turned: the base, and the way in which a longer context was taught (`kind` "" for none)."""

    base: float
    kind: str = ""
    factor: float = 1.0
    original: int = 0
    low: float = 1.0
    high: float = 4.0

    def factors(self, head: int) -> list[float]:
        """What each frequency is divided by (Llama 3.1); empty for other kinds.

        Args:
            head: numbers of one attention head.
        """
        if self.kind != "llama3":
            return []
        divided = []
        for place in range(0, head, 2):
            wave = 2 * math.pi * self.base ** (place / head)
            share = (self.original / wave - self.low) / (self.high - self.low)  # 1 and more: short waves, kept
            share = min(1.0, max(0.0, share))
            divided.append(1 / ((1 - share) / self.factor + share))
        return divided


@dataclass(frozen=True)
class Architecture:
    """The sizes of a model; `name` is GGUF's."""

    name: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head: int
    feed: int
    vocabulary: int
    context: int
    epsilon: float
    tied: bool
    biases: bool
    rope: Rope

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Every tensor that the repository must hold, by its name there, with its shape."""
        q, kv, width, feed = self.heads * self.head, self.kv_heads * self.head, self.width, self.feed
        shapes: dict[str, tuple[int, ...]] = {
            "model.embed_tokens.weight": (self.vocabulary, width), "model.norm.weight": (width,)
        }  # fmt: skip
        if not self.tied:
            shapes["lm_head.weight"] = (self.vocabulary, width)
        layer: dict[str, tuple[int, ...]] = {
            "input_layernorm.weight": (width,), "post_attention_layernorm.weight": (width,),
            "self_attn.q_proj.weight": (q, width), "self_attn.k_proj.weight": (kv, width),
            "self_attn.v_proj.weight": (kv, width), "self_attn.o_proj.weight": (width, q),
            "mlp.gate_proj.weight": (feed, width), "mlp.up_proj.weight": (feed, width),
            "mlp.down_proj.weight": (width, feed),
        }  # fmt: skip
        if self.name == "qwen3":
            layer |= {"self_attn.q_norm.weight": (self.head,), "self_attn.k_norm.weight": (self.head,)}
        if self.biases:
            layer |= {f"self_attn.{n}_proj.bias": (size,) for n, size in (("q", q), ("k", kv), ("v", kv))}
            if self.name == "llama":
                layer["self_attn.o_proj.bias"] = (width,)
        for number in range(self.layers):
            shapes |= {f"model.layers.{number}.{name}": shape for name, shape in layer.items()}
        return shapes

    def paired_heads(self, name: str) -> int:
        """The heads whose rows llama.cpp wants in pairs, of a tensor by its name in the repository; 0: none."""
        if self.name != "llama":
            return 0
        if ".self_attn.q_proj." in name:
            return self.heads
        return self.kv_heads if ".self_attn.k_proj." in name else 0

    def metadata(self) -> Values:
        """The header's values on the shape of the model; integers are written as uint32."""
        said: Values = {
            "block_count": self.layers, "context_length": self.context, "embedding_length": self.width,
            "feed_forward_length": self.feed, "attention.head_count": self.heads,
            "attention.head_count_kv": self.kv_heads, "attention.key_length": self.head,
            "attention.value_length": self.head, "attention.layer_norm_rms_epsilon": self.epsilon,
            "rope.freq_base": self.rope.base, "rope.dimension_count": self.head, "vocab_size": self.vocabulary,
        }  # fmt: skip
        if self.rope.kind in ("linear", "yarn"):
            said |= {"rope.scaling.type": self.rope.kind, "rope.scaling.factor": self.rope.factor}
        if self.rope.kind == "yarn":
            said["rope.scaling.original_context_length"] = self.rope.original
        return {f"{self.name}.{key}": value for key, value in said.items()}


def architecture_of(config: Any) -> Architecture:
    """The architecture that a config.json describes.

    Raises:
        ValueError: it is of another family, or has something that is not converted here.
    """
    if not isinstance(config, dict):
        raise ValueError("config.json holds no object")
    named = config.get("architectures")
    family = FAMILIES.get(named[0]) if isinstance(named, list) and named and isinstance(named[0], str) else None
    if family is None:
        shown = str(named[0] if isinstance(named, list) and named else config.get("model_type"))[:60]
        raise ValueError(f"its architecture is {shown}; {', '.join(FAMILIES.values())} are converted here")
    _check_plain(config, family)
    heads = _size(config, "num_attention_heads")
    kv_heads = _size(config, "num_key_value_heads", heads, most=heads)
    width = _size(config, "hidden_size")
    head = _size(config, "head_dim", width // heads)
    if heads % kv_heads or head % 2:
        raise ValueError("its attention heads do not fit each other")
    return Architecture(
        name=family, layers=_size(config, "num_hidden_layers"), width=width, heads=heads, kv_heads=kv_heads, head=head,
        feed=_size(config, "intermediate_size"), vocabulary=_size(config, "vocab_size"),
        context=_size(config, "max_position_embeddings", 2048), epsilon=_number(config, "rms_norm_eps", 1e-6, 1.0),
        tied=config.get("tie_word_embeddings") is True,
        biases=family == "qwen2" or config.get("attention_bias") is True, rope=_rope(config),
    )  # fmt: skip


def _check_plain(config: Mapping[str, Any], family: str) -> None:
    """Refuse what changes the mathematics and would be lost."""
    if config.get("quantization_config"):
        raise ValueError("its weights are quantized already; the repository with the original ones is needed")
    if config.get("hidden_act", "silu") not in ("silu", "swish"):
        raise ValueError(f"its activation {str(config.get('hidden_act'))[:20]!r} is not silu")
    layers = config.get("layer_types")
    sliding = isinstance(layers, list) and any(kind != "full_attention" for kind in layers)
    if config.get("use_sliding_window") is True or sliding:
        raise ValueError("it attends within a sliding window, which is not converted here")
    if config.get("mlp_bias") is True or (family == "qwen3" and config.get("attention_bias") is True):
        raise ValueError("it has biases that its family has not")
    if _number(config, "partial_rotary_factor", 1.0, 1.0) != 1.0:
        raise ValueError("its positions turn a part of each head, which is not converted here")


def _rope(config: Mapping[str, Any]) -> Rope:
    """From `rope_theta` and `rope_scaling`, or from `rope_parameters` as transformers 5 writes them."""
    given = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(given, dict):
        raise ValueError("config.json says nothing usable on rope_parameters")
    base = _number(config if "rope_theta" in config else given, "rope_theta", 10_000.0, 1e12)
    kind = given.get("rope_type", given.get("type"))
    if kind in (None, "default"):
        return Rope(base)
    if kind not in ("linear", "yarn", "llama3"):
        raise ValueError(f"positions scaled in the way {str(kind)[:20]!r} are not converted here")
    if any(given.get(key) is not None for key in ("attention_factor", "mscale", "beta_fast", "beta_slow")):
        raise ValueError(f"its {kind} scaling has values that are not converted here")
    low, high = _number(given, "low_freq_factor", 1.0, 1e6), _number(given, "high_freq_factor", 4.0, 1e6)
    if low >= high:
        raise ValueError("config.json names no possible low_freq_factor and high_freq_factor")
    original = given.get("original_max_position_embeddings") or _size(config, "max_position_embeddings", 2048)
    original = _size({"max_position_embeddings": original}, "max_position_embeddings")
    return Rope(base, str(kind), _number(given, "factor", 1.0, 1e6), original, low, high)


def _size(config: Mapping[str, Any], key: str, default: int | None = None, most: int | None = None) -> int:
    value = config.get(key)
    value = default if value is None else value
    if type(value) is not int or not 1 <= value <= (most or _MOST.get(key, 1 << 20)):
        raise ValueError(f"config.json names no possible {key}")
    return value


def _number(config: Mapping[str, Any], key: str, default: float, most: float) -> float:
    value = config.get(key)
    value = default if value is None else value
    if type(value) not in (int, float) or not 0 < value <= most:
        raise ValueError(f"config.json names no possible {key}")
    return float(value)
