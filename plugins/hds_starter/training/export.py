"""Turn a PEFT adapter into a GGUF LoRA adapter that llama.cpp loads.

python -m hds_starter.training.export lora BASE.gguf starter-lora.gguf
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFWriter
from safetensors.numpy import load_file

from hds_starter.training.train import _NAMES


def export(adapter: Path, base: Path, out: Path) -> None:
    """Write `adapter` (a PEFT folder over a llama model) as F16 GGUF; rows of q and k in llama.cpp's order."""
    config = json.loads((adapter / "adapter_config.json").read_text())
    reader = GGUFReader(base)
    heads = reader.fields["llama.attention.head_count"].contents()
    kv_heads = reader.fields["llama.attention.head_count_kv"].contents()
    writer = GGUFWriter(out, "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config["lora_alpha"]))
    for key, weight in sorted(load_file(adapter / "adapter_model.safetensors").items()):
        found = re.match(r".*layers\.(\d+)\.(.+)\.lora_([AB])\.weight", key)
        if not found:
            raise SystemExit(f"an unexpected weight: {key}")
        layer, module, side = found.groups()
        weight = weight.astype(np.float32)
        if side == "B" and module.endswith(("q_proj", "k_proj")):
            n = heads if module.endswith("q_proj") else kv_heads
            weight = weight.reshape(n, 2, weight.shape[0] // n // 2, -1).swapaxes(1, 2).reshape(weight.shape)
        writer.add_tensor(f"blk.{layer}.{_NAMES[module]}.weight.lora_{side.lower()}", weight.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    export(*map(Path, sys.argv[1:4]))
