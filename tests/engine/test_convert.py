"""Safetensors to GGUF: numbers, order and names as llama.cpp wants them, exact resuming, and files that lie."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hds_cli.engine.files.convert import making, writing
from hds_cli.engine.files.convert.architecture import architecture_of
from hds_cli.engine.files.convert.safetensors import read_tensors
from hds_cli.engine.files.convert.source import Source, origin_of, read_source, shards_of, weights_among
from hds_cli.engine.files.gguf import read_header
from hds_cli.errors import HdsError, ModelError, ModelMissing, ModelUnusable
from tests.engine import checkpoints as made


def source_of(folder: Path) -> Source:
    return read_source(folder, shards_of(folder), origin_of(folder))


def converted(folder: Path, kind: str = "F16") -> Path:
    out = folder.with_suffix(f".{kind}.gguf")
    writing.write(source_of(folder), kind, out, lambda *_: None)
    return out


def tensors_of(path: Path) -> dict[str, np.ndarray]:
    import gguf

    return {t.name: np.array(gguf.dequantize(t.data, t.tensor_type)) for t in gguf.GGUFReader(path).tensors}


def stored(folder: Path, name: str) -> np.ndarray:
    """A tensor of the checkpoint as F32."""
    tensor = next(t for shard in shards_of(folder) for t in read_tensors(shard) if t.name == name)
    data = tensor.path.read_bytes()[tensor.begin : tensor.begin + tensor.bytes]
    if tensor.dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(tensor.shape)
    return np.frombuffer(data, {"F16": "<f2", "F32": "<f4"}[tensor.dtype]).astype("<f4").reshape(tensor.shape)


@pytest.mark.parametrize("stored_as", ["BF16", "F16", "F32"])
@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_numbers_are_the_same_in_every_type(tmp_path: Path, stored_as: str, kind: str) -> None:
    """Exactly where the type can hold them, else as the nearest number it has; what is added to a row is F32."""
    folder = made.write(tmp_path / "tiny", kind=stored_as, shards=2)
    tensors = tensors_of(converted(folder, kind))
    want = stored(folder, "model.layers.1.mlp.down_proj.weight")
    rounding = {"F32": 0.0, "F16": 2.0**-11, "BF16": 2.0**-8}[kind] if kind != stored_as else 0.0
    np.testing.assert_allclose(tensors["blk.1.ffn_down.weight"], want, rtol=rounding, atol=1e-7 if rounding else 0)
    assert (tensors["blk.0.attn_q_norm.weight"] == stored(folder, "model.layers.0.self_attn.q_norm.weight")).all()
    assert read_header(converted(folder, kind)).quantization == kind


def test_llama_turns_the_halves_of_a_head_in_turn(tmp_path: Path) -> None:
    """Rows of q and k change places; those of v and of the other families do not."""
    for family in ("llama", "qwen2"):
        folder = made.write(tmp_path / family, made.config(family))
        tensors, q = tensors_of(converted(folder, "F32")), stored(folder, "model.layers.0.self_attn.q_proj.weight")
        assert (tensors["blk.0.attn_q.weight"][1] == q[8 if family == "llama" else 1]).all()  # heads of 16 rows
        assert (tensors["blk.0.attn_v.weight"] == stored(folder, "model.layers.0.self_attn.v_proj.weight")).all()


def test_the_header_tells_names_licence_vocabulary_and_template(tmp_path: Path) -> None:
    """A snapshot in the hub's cache has its repository and revision in its path."""
    folder = tmp_path / "models--dayoon--HybridDeepSearcher" / "snapshots" / ("a" * 40)
    said = read_header(converted(made.write(folder))).metadata
    assert (said["general.name"], said["general.license"]) == ("HybridDeepSearcher", "apache-2.0")
    assert said["general.source.huggingface.repository"] == "dayoon/HybridDeepSearcher"
    assert said["tokenizer.chat_template"] == made.TEMPLATE
    assert (said["tokenizer.ggml.pre"], said["tokenizer.ggml.eos_token_id"]) == (
        "qwen2",
        made.tokenizer()["added_tokens"][2]["id"],
    )
    assert said["qwen3.rope.freq_base"] == 1_000_000.0


def test_a_template_file_is_preferred(tmp_path: Path) -> None:
    """Newer repositories keep it beside tokenizer_config.json."""
    folder = made.write(tmp_path / "tiny")
    (folder / "chat_template.jinja").write_text("own {{ messages }}")
    assert read_header(converted(folder)).chat_template == "own {{ messages }}"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.999])
def test_a_conversion_that_was_killed_is_gone_on_with(tmp_path: Path, share: float) -> None:
    """The rest is written, and the whole is byte for byte what one attempt writes."""
    folder = made.write(tmp_path / "tiny", shards=3)
    whole, part = converted(folder).read_bytes(), tmp_path / "part"
    part.write_bytes(whole[: int(len(whole) * share)])
    began: list[int] = []
    writing.write(source_of(folder), "F16", part, lambda done, _: began.append(done))
    assert part.read_bytes() == whole
    assert began[0] > len(whole) * share


def test_what_was_written_of_another_model_is_not_gone_on_with(tmp_path: Path) -> None:
    """Its header differs."""
    part = tmp_path / "part"
    part.write_bytes(converted(made.write(tmp_path / "other", made.config(rope_theta=10_000.0))).read_bytes())
    folder = made.write(tmp_path / "tiny")
    writing.write(source_of(folder), "F16", part, lambda *_: None)
    assert part.read_bytes() == converted(folder).read_bytes()


def test_weights_go_as_they_are_used_up_and_the_rest_is_made_later(tmp_path: Path) -> None:
    """Killed between two files of weights, the next attempt needs only those that are left."""
    folder = made.write(tmp_path / "tiny", shards=3)
    whole, shards, out = converted(folder).read_bytes(), shards_of(folder), tmp_path / "out.gguf"

    class Killed(Exception): ...

    def stop_in_the_third(step: str, done: int, of: int) -> None:
        if not shards[1].exists():
            raise Killed

    with pytest.raises(Killed):
        making.make(folder, shards, origin_of(folder), "F16", out, stop_in_the_third, used_up=True)
    assert [shard.exists() for shard in shards] == [False, False, True]
    assert not out.exists()
    making.make(folder, shards, origin_of(folder), "F16", out, lambda *_: None, used_up=True)
    assert out.read_bytes() == whole
    assert not any(shard.exists() for shard in shards)


def test_weights_that_were_used_up_for_nothing_are_asked_for_again(tmp_path: Path) -> None:
    """The unfinished file is gone: the headers go too, so that the next pull begins anew."""
    folder = made.write(tmp_path / "tiny", shards=2)
    shards, out = shards_of(folder), tmp_path / "out.gguf"
    making.make(folder, shards, origin_of(folder), "F16", out, lambda *_: None, used_up=True)
    out.unlink()
    with pytest.raises(ModelError, match="cannot be gone on with"):
        making.make(folder, shards, origin_of(folder), "F16", out, lambda *_: None, used_up=True)
    assert list(folder.glob("*.head")) == []


def test_a_number_that_f16_cannot_hold_is_an_error(tmp_path: Path) -> None:
    """Not an infinity in the model."""
    folder = made.write(tmp_path / "tiny", kind="F32")
    data = bytearray((folder / "model.safetensors").read_bytes())
    place = next(t.begin for t in read_tensors(folder / "model.safetensors") if "down_proj" in t.name)
    data[place : place + 4] = struct.pack("<f", 1e6)
    (folder / "model.safetensors").write_bytes(data)
    with pytest.raises(ModelUnusable, match="F16 cannot hold"):
        converted(folder, "F16")


def test_a_tied_model_has_no_output_matrix(tmp_path: Path) -> None:
    """Also where the file holds a copy of it."""
    tied = made.write(tmp_path / "tied", made.config(tie_word_embeddings=True))
    copy = made.write(tmp_path / "copy")
    (copy / "config.json").write_text(json.dumps(made.config(tie_word_embeddings=True)))
    for folder in (tied, copy):
        assert "output.weight" not in tensors_of(converted(folder))


def test_llama_3_stretches_its_low_frequencies() -> None:
    """Short waves stay, long ones are divided by the factor, those between by something between."""
    scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 8192}  # fmt: skip
    factors = architecture_of(made.config("llama", rope_scaling=scaling, rope_theta=500_000.0)).rope.factors(128)
    assert (factors[0], factors[-1], len(factors)) == (1.0, 8.0, 64)
    assert factors == sorted(factors)


def test_a_model_is_in_one_file_or_in_all_its_parts() -> None:
    """A part that is missing is seen before anything is read."""
    parts = [f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)]
    assert weights_among([*parts, "adapter_model.safetensors", "consolidated.safetensors"]) == parts
    assert weights_among(["x.gguf", "model.safetensors"]) == ["model.safetensors"]
    assert weights_among(["adapter_model.safetensors"]) == []
    with pytest.raises(ValueError, match="of 3 files of weights 2"):
        weights_among(parts[:2])


# --- files that lie ---------------------------------------------------------------------------------------------------


def _header(described: Any, body: bytes = b"") -> bytes:
    head = described if isinstance(described, bytes) else json.dumps(described).encode()
    return struct.pack("<Q", len(head)) + head + body


def _tensor(**said: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | said


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "too short"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (struct.pack("<Q", 1 << 60) + b"{}", "no possible length"),
        (_header(b"[" * 10_000), "nested too deep"),
        (_header(b"[" + b"{}," * 300_000 + b"1]"), "more than"),
        (_header([]), "is no object"),
        (_header({"a": 1}), "not described as one"),
        (_header({"a" * 400: _tensor()}, b"1234"), "not described as one"),
        (_header({"a": _tensor(dtype="I64")}, b"1234"), "has the type 'I64'"),
        (_header({"a": _tensor(shape=[1 << 60, 1 << 60])}, b"1234"), "no possible shape"),
        (_header({"a": _tensor(shape=[1 << 40, 1 << 40])}, b"1234"), "another size"),
        (_header({"a": _tensor(shape=[-1])}, b"1234"), "no possible shape"),
        (_header({"a": _tensor(shape=[True])}, b"1234"), "no possible shape"),
        (_header({"a": _tensor(shape=[0], data_offsets=[0, 0])}), "another size"),
        (_header({"a": _tensor(data_offsets=[4, 8])}, b"12345678"), "overlap or have gaps"),
        (_header({"a": _tensor(), "b": _tensor()}, b"1234"), "overlap or have gaps"),
        (_header({"a": _tensor()}, b"12"), "cut off"),
        (_header({"a": _tensor()}, b"123456"), "bytes follow"),
        (_header({f"t{n}": 1 for n in range(30_000)}), "more than 20000 tensors"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    """Before anything is allocated for it."""
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(ModelUnusable, match=says):
        read_tensors(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"architectures": ["MambaForCausalLM"]}, "MambaForCausalLM"),
        ({"architectures": []}, "its architecture is qwen3"),
        ({"architectures": "Qwen3ForCausalLM"}, "its architecture is"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers"),
        ({"num_hidden_layers": True}, "num_hidden_layers"),
        ({"vocab_size": -5}, "vocab_size"),
        ({"num_key_value_heads": 3}, "do not fit"),
        ({"head_dim": 7}, "do not fit"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps"),
        ({"rope_theta": 0}, "rope_theta"),
        ({"rope_scaling": {"rope_type": "dynamic"}}, "'dynamic'"),
        ({"rope_scaling": {"rope_type": "yarn", "attention_factor": 2}}, "yarn scaling"),
        ({"rope_scaling": [1]}, "rope_parameters"),
        ({"use_sliding_window": True}, "sliding window"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "sliding window"),
        ({"quantization_config": {"quant_method": "fp8"}}, "quantized already"),
        ({"hidden_act": "gelu"}, "not silu"),
        ({"attention_bias": True}, "biases"),
        ({"hidden_size": 128}, "has the shape"),
        ({"num_hidden_layers": 3}, "lacks the tensor"),
        ({"num_hidden_layers": 1}, "unknown tensor"),
    ],
)
def test_a_model_that_is_not_converted_is_refused(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    """What would change its mathematics is never left out in silence."""
    folder = made.write(tmp_path / "tiny")
    (folder / "config.json").write_text(json.dumps(made.config() | more))
    with pytest.raises(ModelUnusable, match=says):
        source_of(folder)


def _changed(**model: Any) -> dict[str, Any]:
    whole = made.tokenizer()
    return whole | {"model": whole["model"] | model}


TOO_MANY = {f"t{n}": n for n in range(385)}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no byte-pair encoding"),
        (_changed(type="Unigram"), "no byte-pair encoding"),
        (_changed(vocab=[]), "no byte-pair encoding"),
        (_changed(vocab=TOO_MANY), "has the id 384"),
        (_changed(vocab={"a": -1}), "has the id -1"),
        (_changed(vocab={"a": "b"}), "has the id b"),
        (_changed(vocab={"a": 1, "b": 1}), "there twice"),
        (_changed(vocab={"a" * 2000: 1}), "too long"),
        (_changed(vocab={"\ud800": 1}), "surrogates"),
        (_changed(vocab={"[PAD5]": 1}), "the same text"),
        (_changed(merges="a b"), "no merges"),
        (_changed(merges=["a"]), "no pair"),
        (_changed(merges=[["a", 1]]), "no pair"),
        (_changed(merges=["never here"]), "no token"),
        (_changed(byte_fallback=True), "rules that are not known"),
        (_changed(ignore_merges=True), "rules that are not known"),
        (made.tokenizer() | {"pre_tokenizer": {"type": "Metaspace"}}, "rules that are not known"),
        (made.tokenizer() | {"normalizer": {"type": "Lowercase"}}, "rules that are not known"),
        (made.tokenizer() | {"added_tokens": [1]}, "added_tokens"),
    ],
)
def test_a_tokenizer_that_cannot_be_had_exactly_is_refused(tmp_path: Path, words: Any, says: str) -> None:
    """A model with other ids than it was trained with answers nonsense."""
    folder = made.write(tmp_path / "tiny", words=words or None)
    if not words:
        (folder / "tokenizer.json").write_text("[]")
    with pytest.raises(ModelUnusable, match=says):
        source_of(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_file_that_is_missing_or_too_large_is_named(tmp_path: Path, name: str) -> None:
    """A file of a stranger is not read whole to find out."""
    folder = made.write(tmp_path / "tiny")
    with (folder / name).open("r+b") as file:
        file.truncate(100 << 20)
    with pytest.raises(ModelUnusable, match=r"larger than \d+ MiB"):
        source_of(folder)
    (folder / name).unlink()
    with pytest.raises(ModelMissing, match=name):
        source_of(folder)
    shutil.rmtree(folder)
    with pytest.raises(HdsError):
        source_of(folder)


def test_a_folder_without_all_files_of_weights_is_an_error(tmp_path: Path) -> None:
    """It says how many are there."""
    folder = made.write(tmp_path / "tiny", shards=3)
    shards_of(folder)[1].unlink()
    with pytest.raises(ModelMissing, match="of 3 files of weights 2 are there"):
        shards_of(folder)


def test_of_a_vocabulary_without_an_end_no_more_is_read_than_one_may_have(tmp_path: Path) -> None:
    """A device has the size 0, and never ends."""
    folder = made.write(tmp_path / "tiny")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").symlink_to("/dev/zero")
    with pytest.raises(ModelUnusable, match="larger than"):
        source_of(folder)
