"""Pages a second: hds against plain extraction, and against a pool of blocking threads, in one run.

    python tests/benchmarks/fetch_pages.py --replica WEB.py CORPUS.jsonl ... [--pages 1000] [--latency-ms 100]

Prints three times for the same pages of a local web server: `trafilatura.extract` alone, in memory, divided by the
cores; hds fetching, extracting and storing; four threads of `requests` and BeautifulSoup. And, at --fetch-latency-ms,
fetching alone. `*_cpu` compares processor time instead of the clock: on a busy machine that is
the fairer figure. Needs `requests` and `beautifulsoup4` for the pool (left out when they are not there).
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hds_cli.config import Settings
from hds_cli.fetch.client import Fetcher
from hds_cli.types import Page


def serve(replica: Path, corpora: list[Path], folder: Path, latency: float) -> tuple[subprocess.Popen[bytes], str]:
    ready = folder / "ready"
    ready.unlink(missing_ok=True)
    command = [sys.executable, str(replica), "serve", *map(str, corpora), "--port", "0", "--ready-file", str(ready)]
    process = subprocess.Popen([*command, "--latency-ms", str(latency)], stdout=subprocess.DEVNULL)
    while not ready.exists() or not ready.read_text().strip():
        time.sleep(0.05)
    return process, ready.read_text().strip()


def urls_of(base: str, number: int) -> list[str]:
    with urllib.request.urlopen(base + "/sitemap.xml") as answer:
        found = answer.read().decode().split("<loc>")[1:]
    paths = [urllib.parse.urlsplit(html.unescape(item.split("</loc>")[0])).path for item in found]
    random.Random(1).shuffle(paths)
    return [base + path for path in paths[:number]]


def cpu_of(group: int) -> float:
    """Processor seconds of a process group so far (Linux)."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def with_hds(urls: list[str], folder: Path, parallel: int) -> tuple[float, float, list[Page]]:
    host = urllib.parse.urlsplit(urls[0]).netloc
    settings = Settings(cache_dir=str(folder), fetch_allow=(host,), fetch_parallel=parallel, fetch_timeout=60.0)
    async with Fetcher(settings) as fetcher:
        await fetcher.fetch(urls[0].rpartition("/wiki/")[0] + "/healthz", typed=True)  # workers are up
        fetcher._workers.start()
        assert fetcher._workers._process is not None
        group = fetcher._workers._process.pid
        start, used = time.perf_counter(), time.process_time() + cpu_of(group)
        pages = await asyncio.gather(*(fetcher.fetch(url) for url in urls))
        return time.perf_counter() - start, time.process_time() + cpu_of(group) - used, pages


async def fetch_alone(urls: list[str], parallel: int) -> float:
    host = urllib.parse.urlsplit(urls[0]).netloc
    settings = Settings(fetch_allow=(host,), fetch_parallel=parallel, fetch_timeout=60.0, cache_dir="/nonexistent")
    async with Fetcher(settings) as fetcher:
        start = time.perf_counter()
        await asyncio.gather(*(fetcher._journey.get(url, False, {}) for url in urls))
        return time.perf_counter() - start


def with_threads(urls: list[str], *, parse: bool = True) -> float | None:
    try:
        import bs4
        import requests
    except ImportError:
        return None

    def one(url: str) -> int:
        text = requests.get(url, timeout=60).text
        return len(bs4.BeautifulSoup(text, "html.parser").get_text()) if parse else len(text)

    start = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, urls))
    return time.perf_counter() - start


def plain(urls: list[str]) -> tuple[float, float, int]:
    import trafilatura

    with ThreadPoolExecutor(16) as pool:
        bodies = list(pool.map(lambda url: urllib.request.urlopen(url).read().decode(), urls))
    trafilatura.extract(bodies[0])
    start, used = time.perf_counter(), time.process_time()
    for body in bodies:
        trafilatura.extract(body)
    return time.perf_counter() - start, time.process_time() - used, sum(map(len, bodies))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("--replica", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--latency-ms", type=float, default=100)
    parser.add_argument("--fetch-latency-ms", type=float, default=300)
    parser.add_argument("--parallel", type=int, default=32)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process, base = serve(arguments.replica, arguments.corpus, folder, arguments.latency_ms)
        try:
            urls = urls_of(base, arguments.pages)
            alone, alone_cpu, size = plain(urls)  # also warms the server's pages for everyone
            seconds, used, pages = asyncio.run(with_hds(urls, folder / "pages", arguments.parallel))
            again, _, _ = asyncio.run(with_hds(urls, folder / "pages", arguments.parallel))
            pool = with_threads(urls)
        finally:
            process.terminate()
        process, base = serve(arguments.replica, arguments.corpus, folder, arguments.fetch_latency_ms)
        try:
            some = urls_of(base, max(50, arguments.pages // 4))
            fetching = asyncio.run(fetch_alone(some, arguments.parallel))
            blocking = with_threads(some, parse=False)
        finally:
            process.terminate()
    good = sum(page.status == "fetched" for page in pages)
    report = {
        "pages": len(urls),
        "fetched": good,
        "bytes": size,
        "cores": cores,
        "plain_extract_seconds": round(alone, 2),
        "plain_extract_by_cores": round(alone / cores, 2),
        "hds_seconds": round(seconds, 2),
        "hds_cpu_seconds": round(used, 2),
        "hds_from_cache_seconds": round(again, 2),
        "hds_to_plain": round(seconds / (alone / cores), 2),
        "hds_to_plain_cpu": round(used / alone_cpu, 2),
        "threads_seconds": pool and round(pool, 2),
        "threads_to_hds": pool and round(pool / seconds, 2),
        "fetch_alone_seconds": round(fetching, 2),
        "fetch_alone_threads_to_hds": blocking and round(blocking / fetching, 2),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
