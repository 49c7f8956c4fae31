"""Adapters between PEFT's folder and the GGUF file that llama.cpp loads."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFWriter
from safetensors.numpy import load_file, save_file

from hds_cli.errors import ModelUnusable
from hds_train.base import MODULES, TENSORS, paired, shape_of, unpaired

_WEIGHT = re.compile(r".*layers\.(\d+)\.(.+)\.lora_([AB])\.weight")


def export(folder: Path, base: Path, out: Path) -> None:
    """Write the adapter in `folder` (PEFT over the model `base`) as an F16 GGUF file, in one piece.

    Raises:
        ModelUnusable: the adapter has weights that llama.cpp's adapters have not.
    """
    config = json.loads((folder / "adapter_config.json").read_text())
    shape = shape_of(GGUFReader(base))
    part = out.with_name(f".{out.name}.part")
    writer = GGUFWriter(part, shape.architecture)
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config["lora_alpha"]))
    for key, weight in sorted(load_file(folder / "adapter_model.safetensors").items()):
        name = _WEIGHT.match(key)
        if not name or name[2] not in TENSORS:
            raise ModelUnusable(f"an adapter of llama.cpp cannot hold {key}")
        layer, tensor, side = name[1], TENSORS[name[2]], name[3]
        weight = weight.astype(np.float32)
        if side == "B" and shape.permuted and tensor in ("attn_q", "attn_k"):
            weight = paired(weight, shape, tensor)
        writer.add_tensor(f"blk.{layer}.{tensor}.weight.lora_{side.lower()}", weight.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(part, out)


def restore(adapter: Path, base: Path, folder: Path) -> None:
    """Write a GGUF adapter as a PEFT folder that training goes on from; the inverse of `export`.

    Raises:
        ModelUnusable: it is not an adapter.
    """
    modules = {ours: theirs for theirs, ours in TENSORS.items()}
    reader, shape = GGUFReader(adapter), shape_of(GGUFReader(base))
    if "adapter.lora.alpha" not in reader.fields:
        raise ModelUnusable(f"{adapter} is not a LoRA adapter")
    state, rank = {}, 0
    for tensor in reader.tensors:
        _, layer, ours, _, side = tensor.name.split(".")
        weight = np.array(tensor.data, dtype=np.float32)
        if side == "lora_a":
            rank = weight.shape[0]
        elif shape.permuted and ours in ("attn_q", "attn_k"):
            weight = unpaired(weight, shape, ours)
        key = f"base_model.model.model.layers.{layer}.{modules[ours]}.lora_{side[-1].upper()}.weight"
        state[key] = np.ascontiguousarray(weight)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(state, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "target_modules": MODULES,
              "lora_alpha": reader.fields["adapter.lora.alpha"].contents()}  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config))
