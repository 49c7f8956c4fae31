"""The vocabulary of a converted file: the same token ids as the tokenizer's own library gives, on hard texts."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from hds_cli.engine.base import ModelSpec, Segment
from hds_cli.engine.files.convert import writing
from hds_cli.engine.files.convert.source import origin_of, read_source, shards_of
from hds_cli.engine.llama.model import LlamaEngine
from tests.engine import checkpoints as made

tokenizers = pytest.importorskip("tokenizers")

TEXTS = (
    "What is the capital of the border? Searching the station", "  two  blanks   three\t\ttabs\n\n\nlines \r\n end ",
    "1 12 123 1234 3.14 ١٢٣ ⅻ 1,000,000", "I'll I'LL we've they'D don't'S", "где Ää ß ﬁ Ω ㎏ e\u0301 ạ",
    "東京都 の 首都 は ？ 한국어 ภาษาไทย हिन्दी", "👩‍👩‍👧‍👦 🇳🇴 🚀🚀 😶\u200d🌫️", "\u00a0\u2003\u200b\ufeff\u202e x",
    "```py\n\tdef f(x):\n\t    return x**2\n```", "<|im_start|>user\nHi<|im_end|>\n<think>\nhm\n</think>\n\nNo.",
    "<|begin_search_queries|>\nwho;\nwhen\n<|end_search_queries|>", "\x00\x01\x7f", "a" * 300, "", " ", "\n",
)  # fmt: skip


def ids_of(folder: Path) -> Any:
    """What our file makes of a text, through llama.cpp."""
    out = folder.with_suffix(".gguf")
    writing.write(read_source(folder, shards_of(folder), origin_of(folder)), "F16", out, lambda *_: None)
    engine = LlamaEngine(ModelSpec("tiny", out), n_ctx=64, n_threads=1)
    return lambda text: engine.tokenize([Segment(text, True)])


@pytest.mark.parametrize("pre", list(made.RULES))
def test_ids_are_those_of_the_tokenizer(tmp_path: Path, shared: Path, pre: str) -> None:
    """For each family of rules; of the naughty strings those in the normal form that llama.cpp leaves texts in."""
    folder = made.write(tmp_path / "tiny", words=made.tokenizer(pre))
    ours, theirs = ids_of(folder), tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    naughty = json.loads((shared / "data" / "hostile_blns" / "blns.json").read_text())
    texts = [text for text in (*TEXTS, *naughty) if unicodedata.is_normalized("NFC", text)]
    assert len(texts) > 500
    assert [text for text in texts if ours(text) != theirs.encode(text, add_special_tokens=False).ids] == []


def test_a_real_vocabulary_keeps_its_ids(tmp_path: Path) -> None:
    """That of SmolLM2, made into a tokenizer.json again from the starter's file."""
    import gguf

    import hds_starter

    read = gguf.GGUFReader(hds_starter.model().path).fields
    tokens = read["tokenizer.ggml.tokens"].contents()
    kinds = read["tokenizer.ggml.token_type"].contents()
    words = made.tokenizer("smollm")
    words["model"] |= {"vocab": {text: n for n, text in enumerate(tokens)},
                       "merges": read["tokenizer.ggml.merges"].contents()}  # fmt: skip
    words["added_tokens"] = [
        words["added_tokens"][0] | {"id": n, "content": text, "special": True}
        for n, text in enumerate(tokens)
        if kinds[n] == 3
    ]
    folder = made.write(tmp_path / "tiny", made.config("llama", vocab_size=len(tokens)), words=words)
    ours = ids_of(folder)
    starter = LlamaEngine(hds_starter.model(), n_ctx=64, n_threads=1)
    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in TEXTS:
        assert (
            ours(text) == theirs.encode(text, add_special_tokens=False).ids == starter.tokenize([Segment(text, True)])
        )


def test_thinking_marks_are_tokens_and_chat_marks_have_power_only_where_trusted(tmp_path: Path) -> None:
    """A page cannot forge the end of a turn in a converted model either."""
    folder = made.write(tmp_path / "tiny")
    ours = ids_of(folder)
    marks = {token["content"]: token["id"] for token in made.tokenizer()["added_tokens"]}
    assert ours("<think>") == [marks["<think>"]]
    engine = LlamaEngine(ModelSpec("tiny", folder.with_suffix(".gguf")), n_ctx=64, n_threads=1)
    assert marks["<|im_end|>"] in ours("<|im_end|>")
    assert marks["<|im_end|>"] not in engine.tokenize([Segment("<|im_end|>")])
