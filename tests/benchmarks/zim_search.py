"""Memory and time of the source `zim` over a large file: `python tests/benchmarks/zim_search.py [GIGABYTES]`.

The file is made first: pictures that cannot be compressed, and 20,000 short articles with a full-text index.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

WORDS = [f"w{n}" for n in range(5000)]


def make(path: Path, gigabytes: float) -> None:
    """Write the ZIM file."""
    from libzim.writer import Creator, Hint, Item, StringProvider

    class Stored(Item):  # type: ignore[misc]
        def __init__(self, title: str, mimetype: str, body: bytes) -> None:
            super().__init__()
            self.title, self.mimetype, self.body = title, mimetype, body

        def get_path(self) -> str:
            return self.title

        def get_title(self) -> str:
            return self.title

        def get_mimetype(self) -> str:
            return self.mimetype

        def get_contentprovider(self) -> StringProvider:
            return StringProvider(self.body)

        def get_hints(self) -> dict[Hint, int]:
            return {
                Hint.FRONT_ARTICLE: int(self.mimetype == "text/html"),
                Hint.COMPRESS: int(self.mimetype == "text/html"),
            }

    rng = random.Random(7)
    with Creator(path).config_indexing(True, "eng") as creator:
        creator.set_mainpath("Article 0")
        for n in range(20_000):
            text = " ".join(rng.choices(WORDS, k=80))
            creator.add_item(Stored(f"Article {n}", "text/html", f"<html><body><p>{text}</p></body></html>".encode()))
        for n in range(int(gigabytes * 1000)):
            creator.add_item(Stored(f"picture {n}", "image/jpeg", os.urandom(1_000_000)))


async def measure(path: Path) -> None:
    """Open the file and search it as a command does."""
    from hds_cli.config import Settings, SourceSettings
    from hds_cli.fetch.client import Fetcher
    from hds_cli.search.base import SourceContext
    from hds_zim import Zim

    settings = Settings(offline=True, sources={"zim": SourceSettings(path=str(path))})
    rng = random.Random(8)
    async with Fetcher(settings) as fetcher:
        before = memory()
        source = Zim("zim", SourceContext(settings, fetcher.api, None, fetcher.extract, archive=fetcher.archive))
        await source.search("w1", 5)
        seconds = []
        for _ in range(200):
            started = time.perf_counter()
            await source.search(" ".join(rng.choices(WORDS, k=4)), 5)
            seconds.append(time.perf_counter() - started)
    seconds.sort()
    print(f"file {path.stat().st_size / 1e9:.2f} GB; memory {before} -> {memory()} MB (peak, mapped index included)")
    print(f"200 queries of four words, five pages read each: median {seconds[100]:.3f} s, p95 {seconds[189]:.3f} s")


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.zim"
        if (pid := os.fork()) == 0:  # the writer's memory is not to be measured
            os.dup2(2, 1)
            make(file, float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
            os._exit(0)
        os.waitpid(pid, 0)
        asyncio.run(measure(file))
