"""How fast a collection is built, searched and added to, and in how much memory.

    python tests/benchmarks/index_build.py SHARED/data [--passages 500000] [--questions 400]

Three parts: every shared corpus in one collection each (pages a second of one core, after extraction); all of them in
one collection of about 12,000 pages; and the same passages again and again with a sixth of their words drawn anew until
there are `--passages`. Seconds of a query are given as the wall clock had them and as the processor had them (other
work on the machine is in the first only). Memory is the process's largest resident set so far.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hds_cli.search.local import Collection, read_jsonl
from hds_cli.types import Document

SETS = (
    "factbook_fanout", "fanoutqa_synth", "musique_train100", "hotpotqa_train100", "nq_oracle", "limit_small", "limit_5k",
)  # fmt: skip


def corpus(data: Path, name: str) -> Iterator[Document]:
    for one in read_jsonl(data / name / "corpus.jsonl", name):
        yield Document(f"{name}/{one.id}", one.title, one.text, f"local://all/{name}/{one.url[-60:]}")


def grown(data: Path, passages: int) -> Iterator[Document]:
    """Pages of one passage each: those of the corpora, then variants of them."""
    from hds_cli.text import cut_passages

    pieces = [(d.title, cut.text) for name in SETS for d in corpus(data, name) for cut in cut_passages(d.text)]
    words = [word for _, text in pieces for word in text.split()]
    rng = random.Random(5)
    for n, (title, text) in zip(range(passages), itertools.cycle(pieces), strict=False):
        if n >= len(pieces):
            title = f"{title} {rng.choice(words)}"
            text = " ".join(rng.choice(words) if rng.random() < 1 / 6 else word for word in text.split())
        yield Document(str(n), title, text, f"local://big/{n}")


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def queries(data: Path, number: int) -> list[str]:
    rng = random.Random(1)
    rows = [json.loads(line)["question"] for name in SETS for line in (data / name / "questions.jsonl").open()]
    return rng.sample(rows, number)


def build(label: str, folder: Path, documents: list[Document] | Iterator[Document]) -> Collection:
    collection = Collection(label, folder, create=True)
    start, used = time.perf_counter(), time.process_time()
    changes = collection.update(documents, "benchmark")
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    info = collection.info()
    print(
        f"| {label} | {changes.added} | {info.passages} | {changes.added / cpu:,.0f} | {changes.added / wall:,.0f} | "
        f"{info.bytes / 1e6:.0f} | {memory()} |",
        flush=True,
    )
    return collection


def search(collection: Collection, asked: list[str]) -> None:
    walls, cpus = [], []
    collection.search("warm up", 5)
    for query in asked:
        start, used = time.perf_counter(), time.process_time()
        collection.search(query, 5)
        walls.append((time.perf_counter() - start) * 1000)
        cpus.append((time.process_time() - used) * 1000)
    walls.sort()
    cpus.sort()
    at = int(0.95 * len(asked))
    print(
        f"  {len(asked)} questions over {collection.info().passages} passages: median {walls[len(walls) // 2]:.1f} ms, "
        f"p95 {walls[at]:.1f} ms (processor {cpus[at]:.1f} ms); memory {memory()} MiB",
        flush=True,
    )


def add_one(folder: Path, files: int = 20_000) -> None:
    """A folder of many small files, then one more: what `hds index add` does."""
    from hds_cli import kinds
    from hds_cli.commands._files import Reader
    from hds_cli.search import folder as folders

    notes = folder / "notes"
    rng = random.Random(2)
    for n in range(files):
        path = notes / str(n % 100) / f"{n}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Note {n}\n\n" + " ".join(f"word{rng.randrange(20_000)}" for _ in range(80)))
    collection = Collection("notes", folder, create=True)
    for what in (f"{files} files", "nothing new", "one new file"):
        if what == "one new file":
            (notes / "new.md").write_text("# New\n\nA new note on zebras.")
        start, used = time.perf_counter(), time.process_time()
        with Reader() as read:
            found = folders.look(notes, folders.Choice(lambda name: kinds.of_name(name) is not None)).files
            collection.update(folders.items(found, collection.stamps(str(notes)), read, print), str(notes), whole=False)
        wall, cpu = time.perf_counter() - start, time.process_time() - used
        print(f"  {what}: {wall:.2f} s (processor {cpu:.2f} s)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--passages", type=int, default=500_000)
    parser.add_argument("--questions", type=int, default=400)
    args = parser.parse_args()
    asked = queries(args.data, args.questions)
    print(
        "| collection | pages | passages | pages/s of a core | pages/s | MB | MiB resident |\n|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one in SETS:
            build(one, folder, list(corpus(args.data, one)))
        together = build("all", folder, [d for one in SETS for d in corpus(args.data, one)])
        search(together, asked)
        big = build("big", folder, grown(args.data, args.passages))
        search(big, asked)
        add_one(folder)


if __name__ == "__main__":
    main()
