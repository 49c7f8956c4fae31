"""Conversion of a random Qwen3 of a billion parameters to Q4_K_M: seconds, and the most memory of any process.

`python tests/benchmarks/convert.py [FOLDER]` needs 6 GB of disk in FOLDER (default: a temporary one). The figures to
keep: 240 s and 2 GB.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hds_cli.engine.files.convert.architecture import architecture_of
from tests.engine import checkpoints

CONFIG = checkpoints.config(
    hidden_size=2048, intermediate_size=6144, num_hidden_layers=12, num_attention_heads=16, num_key_value_heads=8,
    head_dim=128, vocab_size=151_936, max_position_embeddings=40_960, tie_word_embeddings=False,
)  # fmt: skip


def write(folder: Path, shards: int = 3) -> int:
    """A checkpoint as BF16, tensor by tensor; returns its parameters."""
    shapes = architecture_of(CONFIG).tensors()
    checkpoints.write(folder, checkpoints.config())
    (folder / "model.safetensors").unlink()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    numbers, names = np.random.default_rng(0), list(shapes)
    for shard in range(shards):
        described, end = {}, 0
        for name in names[shard::shards]:
            size = 2 * int(np.prod(shapes[name]))
            described[name] = {"dtype": "BF16", "shape": list(shapes[name]), "data_offsets": [end, end + size]}
            end += size
        head = json.dumps(described).encode()
        with (folder / f"model-{shard + 1:05d}-of-{shards:05d}.safetensors").open("wb") as file:
            file.write(struct.pack("<Q", len(head)) + head)
            for name in names[shard::shards]:
                left = int(np.prod(shapes[name]))
                while left:
                    count = min(left, 1 << 22)
                    values = numbers.standard_normal(count, np.float32) * 0.02
                    file.write(checkpoints.as_stored(values, "BF16").tobytes())
                    left -= count
    return sum(int(np.prod(shape)) for shape in shapes.values())


def main(folder: Path) -> None:
    parameters = write(folder / "billion")
    command = [str(Path(sys.executable).with_name("hds")), "model", "convert", str(folder / "billion")]
    began = time.monotonic()
    subprocess.run([*command, "-o", str(folder / "billion.gguf")], check=True)
    seconds, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{parameters / 1e9:.2f} billion parameters: {seconds:.0f} s ({used.ru_utime + used.ru_stime:.0f} s of processor), "
        f"at most {used.ru_maxrss / 1e6:.2f} GB in a process; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        place = Path(tempfile.mkdtemp())
        try:
            main(place)
        finally:
            shutil.rmtree(place)
