"""How long the source `cache` takes with many pages, and `hds cache info`.

    python tests/benchmarks/cache_search.py CORPUS.jsonl ... [--pages 10000]

The corpora (`title` and `text` a line) are repeated with changed words until there are enough pages.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hds_cli.fetch.cache import PageCache
from hds_cli.types import Page


def pages(corpora: list[Path], number: int) -> Iterator[Page]:
    rows = [json.loads(line) for path in corpora for line in path.read_text("utf-8").splitlines() if line.strip()]
    rng = random.Random(1)
    for n, row in zip(range(number), itertools.cycle(rows), strict=False):
        extra = " ".join(str(rng.randrange(10**6)) for _ in range(20)) if n >= len(rows) else ""
        yield Page(
            f"http://x.example/{n}", title=f"{row['title']} {n // len(rows) or ''}", text=f"{row['text']}\n\n{extra}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("--pages", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        cache = PageCache(Path(name) / "pages")
        made = list(pages(arguments.corpus, arguments.pages))
        start = time.perf_counter()
        for page in made:
            cache.put(page)
        filling = time.perf_counter() - start
        cache.search("warm up", 5)
        rng = random.Random(2)
        times = []
        for page in rng.sample(made, 300):
            words = [word for word in page.text.split() if word.isalpha()]
            query = (
                f"{page.title} " + " ".join(rng.sample(words, min(len(words), 4))) if rng.random() < 0.5 else page.title
            )
            start = time.perf_counter()
            cache.search(query, 5)
            times.append((time.perf_counter() - start) * 1000)
        start = time.perf_counter()
        info = cache.info()
        counting = (time.perf_counter() - start) * 1000
        times.sort()
        print(json.dumps({
            "pages": info.pages, "bytes": info.bytes, "characters": sum(len(page.text) for page in made),
            "put_ms": round(filling / len(made) * 1000, 2), "search_median_ms": round(statistics.median(times), 1),
            "search_p95_ms": round(times[int(len(times) * 0.95)], 1), "info_ms": round(counting, 2),
        }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
