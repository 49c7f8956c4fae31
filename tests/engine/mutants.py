"""Broken GGUF files, made from a good one: figure F19.

`python -m tests.engine.mutants GOOD.gguf COUNT [SEED]` loads that many in one process and prints how each ended. The
process that prints is the parent whose life is at stake.
"""

from __future__ import annotations

import json
import random
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_VALUES = (0, 1, 2, 3, 7, 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def header_size(path: Path) -> int:
    """Bytes before the weights of a file that `gguf.py` can read."""
    from hds_cli.engine.files import gguf

    with path.open("rb") as stream:
        reader = gguf._Reader(stream, path.stat().st_size)
        gguf._header(reader)
        return reader.at


def patches(size: int, head: bytes, count: int, seed: int) -> Iterator[list[tuple[int, bytes]]]:
    """Changes to a header: flipped bits, odd numbers, numbers of the file put elsewhere, some at its end only."""
    numbers = random.Random(seed)
    for _ in range(count):
        place = numbers.randrange(size) if numbers.random() < 0.5 else size - 1 - numbers.randrange(min(size, 900))
        kind = numbers.randrange(4)
        if kind == 0:
            yield [(place, bytes([head[place] ^ (1 << numbers.randrange(8))]))]
        elif kind == 1:
            yield [(place, struct.pack("<I", numbers.choice(_VALUES)))]
        elif kind == 2:
            yield [(place, struct.pack("<Q", numbers.choice(_VALUES)))]
        else:
            yield [(numbers.randrange(size), bytes([numbers.randrange(256)])) for _ in range(numbers.randint(2, 6))]


def mutants(good: Path, folder: Path, count: int, seed: int) -> Iterator[Path]:
    """One file after another at the same path; each is gone when the next is made."""
    size, data = header_size(good), good.read_bytes()
    path = folder / "mutant.gguf"
    path.write_bytes(data)
    for changes in patches(size, data[:size], count, seed):
        with path.open("r+b") as stream:
            for place, piece in changes:
                stream.seek(place)
                stream.write(piece[: size - place])
        yield path
        with path.open("r+b") as stream:
            stream.write(data[:size])


def main(good: Path, count: int, seed: int, *, guard: bool = True) -> Counter[str]:
    """Load every mutant as `hds ask` would, and count how it ended."""
    from hds_cli.engine.base import ModelSpec, Segment
    from hds_cli.engine.llama.model import LlamaEngine
    from hds_cli.engine.opening import open_llama
    from hds_cli.errors import HdsError

    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(mutants(good, Path(folder), count, seed)):
            print(json.dumps({"mutant": number}), file=sys.stderr, flush=True)
            try:
                engine = (open_llama if guard else LlamaEngine)(ModelSpec("mutant", path), n_ctx=256, n_threads=1)
                session = engine.session()
                session.append([Segment("Oslo is the capital of Norway.")])
                session.generate(max_tokens=2)
                engine.close()
                ends["loaded"] += 1
            except HdsError as exc:
                ends["crashed in the child" if "llama.cpp crashes on" in exc.message else
                     "refused by its header" if "not a usable GGUF" in exc.message else "refused by llama.cpp"] += 1  # fmt: skip
    return ends


if __name__ == "__main__":
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), seed, guard="--no-guard" not in sys.argv)))
