"""The vocabulary of a tokenizer.json (byte-level BPE), as llama.cpp wants it.

llama.cpp splits text into words by rules of its own, which a file names (`tokenizer.ggml.pre`). Its converter finds the
name by the checksum of a text's token ids. Here the rules of the file themselves are compared: equal rules split every
text equally, whatever the vocabulary is. A file with other rules is refused, as its ids would be silently wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hds_cli import jsons

MOST_BYTES = 64 << 20  # of a tokenizer.json; those of Qwen3 and Llama 3 have 11 and 17 MB
_MOST_VALUES = 2 << 20  # those of Llama 3 have half as many
_MOST_CHARACTERS = 1024  # of a token
_NORMAL, _CONTROL, _USER_DEFINED, _UNUSED = 1, 3, 4, 5  # GGUF's kinds of token

_RULES = {
    "5450315c1154b906488b59399f5363d3f9cf2160df319a618bd4d863addf127b": "qwen2",  # Qwen2, 2.5 and 3
    "31102513ec90189e94231df5760ba34453d8b6095fddf6f14bfbe1c118a68778": "llama-bpe",  # Llama 3
    "d81d7f95e184122a5c699e128d519d07378fb16adf25584015e91bcd458a5dc9": "smollm",  # SmolLM, SmolLM2
    "1131de2a9dba3a4edda99476bd652e851d8441e5e93f55f0a50f570e2195264c": "gpt-2",
}
"""SHA-256 of the rules (`_rules`, as JSON) that llama.cpp knows under these names."""


@dataclass(frozen=True)
class Vocabulary:
    """Texts of the tokens by id, their kinds, the merges, and the name of the rules that split a text into words."""

    pre: str
    tokens: list[str] = field(repr=False)
    kinds: list[int] = field(repr=False)
    merges: list[str] = field(repr=False)
    first: str | None = None

    def find(self, text: Any) -> int | None:
        """The id of the token with this text."""
        return self.tokens.index(text) if isinstance(text, str) and text in self.tokens else None


def read_vocabulary(path: Path, size: int) -> Vocabulary:
    """Read a tokenizer.json.

    Args:
        size: tokens of the model; ids that the file leaves out become unused ones.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no byte-level BPE of rules that are known, or its parts do not fit each other.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"tokenizer.json is larger than {MOST_BYTES >> 20} MiB")
    said = jsons.loads(data, _MOST_VALUES, wide=MOST_BYTES)
    model = said.get("model") if isinstance(said, dict) else None
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE" or not isinstance(model.get("vocab"), dict):
        raise ValueError("tokenizer.json is no byte-pair encoding; others are not converted here")
    pre = pre_tokenizer(said, model)
    added = _added(said.get("added_tokens"))
    tokens, kinds = _by_id(model["vocab"], added, size)
    merges = _merges(model.get("merges"), model["vocab"])
    return Vocabulary(pre, tokens, kinds, merges, _first(said.get("post_processor")))


def pre_tokenizer(said: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """llama.cpp's name for the rules of a tokenizer.json.

    Raises:
        ValueError: they are not among the known ones.
    """
    digest = hashlib.sha256(json.dumps(_rules(said, model), sort_keys=True).encode()).hexdigest()
    name = _RULES.get(digest)
    if name is None:
        known = ", ".join(sorted(set(_RULES.values())))
        raise ValueError(f"tokenizer.json splits text by rules that are not known here ({digest[:12]}); known: {known}")
    return name


def _rules(said: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in the file that decides how a text is split, without what makes no difference to it.

    Of the normalizers NFC passes: llama.cpp leaves it out, for all of its files.
    """
    options = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")
    normal = said.get("normalizer")
    return {
        "normalizer": None if normal == {"type": "NFC"} else normal,
        "pre_tokenizer": _without(said.get("pre_tokenizer")),
        "ignore_merges": bool(model.get("ignore_merges")),
        "options": [key for key in options if model.get(key)],
    }


def _without(rule: Any) -> Any:
    """A rule without `trim_offsets`, with its default, and a sequence of one as that one."""
    if not isinstance(rule, dict):
        return rule
    if rule.get("type") == "Sequence" and isinstance(rule.get("pretokenizers"), list):
        inner = [_without(one) for one in rule["pretokenizers"]]
        return inner[0] if len(inner) == 1 else {"type": "Sequence", "pretokenizers": inner}
    default = {"use_regex": True} if rule.get("type") == "ByteLevel" else {}
    return {key: value for key, value in (default | rule).items() if key != "trim_offsets"}


def _added(said: Any) -> dict[str, tuple[int, bool]]:
    """Added tokens: text to id and whether it is special."""
    if said is None:
        return {}
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise ValueError("tokenizer.json says nothing usable on added_tokens")
    return {str(one.get("content")): (one.get("id", -1), one.get("special") is True) for one in said}


def _by_id(
    vocabulary: Mapping[str, Any], added: Mapping[str, tuple[int, bool]], size: int
) -> tuple[list[str], list[int]]:
    tokens: list[str | None] = [None] * size
    kinds = [_UNUSED] * size
    described = [(text, number, _NORMAL) for text, number in vocabulary.items()]
    described += [(text, number, _CONTROL if special else _USER_DEFINED) for text, (number, special) in added.items()]
    for text, number, kind in described:
        if type(number) is not int or not 0 <= number < size:
            raise ValueError(f"a token of tokenizer.json has the id {str(number)[:20]}, and the model has {size}")
        if len(text) > _MOST_CHARACTERS or tokens[number] not in (None, text):
            raise ValueError(f"token {number} of tokenizer.json is too long, or there twice")
        text.encode()  # half of a surrogate pair is a ValueError
        tokens[number], kinds[number] = text, kind
    filled = [f"[PAD{number}]" if text is None else text for number, text in enumerate(tokens)]
    if len(set(filled)) != size:
        raise ValueError("two tokens of tokenizer.json have the same text")
    return filled, kinds


def _merges(said: Any, vocabulary: Mapping[str, Any]) -> list[str]:
    """`"a b"`, from the same or from `["a", "b"]`; byte-level tokens hold no blank."""
    if not isinstance(said, list):
        raise ValueError("tokenizer.json has no merges")
    merges = []
    for merge in said:
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(p, str) and p for p in parts):
            raise ValueError("a merge of tokenizer.json is no pair")
        if any(part not in vocabulary for part in (*parts, "".join(parts))) or " " in "".join(parts):
            raise ValueError("a merge of tokenizer.json has a part that is no token")
        merges.append(" ".join(parts))
    return merges


def _first(post: Any) -> str | None:
    """The special token that the file puts before every text."""
    steps = post.get("processors", [post]) if isinstance(post, dict) else []
    for step in steps if isinstance(steps, list) else []:
        single = step.get("single") if isinstance(step, dict) and step.get("type") == "TemplateProcessing" else None
        if isinstance(single, list) and single and isinstance(single[0], dict):
            special = single[0].get("SpecialToken")
            if isinstance(special, dict):
                return str(special.get("id"))
    return None
