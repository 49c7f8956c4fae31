"""How much of an article is found, and how much else: F1 over 4-word shingles, against plain trafilatura.

    python tests/benchmarks/extract_articles.py DATA_FOLDER [DATA_FOLDER ...]

A folder holds `gold.jsonl` (`file`, `text`) and the pages, maybe compressed. The measure is that of
scrapinghub/article-extraction-benchmark: precision and recall of shingle counts a page, averaged, then F1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r"\w+", re.UNICODE)


def shingles(text: str, width: int = 4) -> Counter[tuple[str, ...]]:
    words = _TOKEN.findall(text)
    if len(words) < width:
        return Counter({tuple(words): 1}) if words else Counter()
    return Counter(tuple(words[i : i + width]) for i in range(len(words) - width + 1))


def score(found: str, gold: str) -> tuple[float, float]:
    """Precision and recall of one page."""
    ours, theirs = shingles(found), shingles(gold)
    both = sum((ours & theirs).values())
    precision = both / sum(ours.values()) if ours else (1.0 if not theirs else 0.0)
    recall = both / sum(theirs.values()) if theirs else 1.0
    return precision, recall


def load(folder: Path) -> list[tuple[bytes, str]]:
    """Pages and their gold texts."""
    pages = []
    with (folder / "gold.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row: dict[str, Any] = json.loads(line)
            path = folder / row["file"]
            if not path.exists():
                path = folder / "pages" / row["file"]
            data = path.read_bytes()
            pages.append((gzip.decompress(data) if path.suffix == ".gz" else data, row["text"]))
    return pages


def measure(pages: list[tuple[bytes, str]], extract: Callable[[bytes], str]) -> dict[str, float]:
    start = time.process_time()
    texts = [extract(body) for body, _ in pages]
    seconds = time.process_time() - start
    scores = [score(text, gold) for text, (_, gold) in zip(texts, pages, strict=True)]
    precision = sum(p for p, _ in scores) / len(scores)
    recall = sum(r for _, r in scores) / len(scores)
    f1 = 2 * precision * recall / (precision + recall)
    return {"f1": f1, "precision": precision, "recall": recall, "ms": seconds / len(pages) * 1000}


def plain(body: bytes) -> str:
    import trafilatura

    return trafilatura.extract(body) or ""


def ours(body: bytes) -> str:
    from hds_cli.extract.page import extract

    return str(extract(body, "html", None, "http://example.org/").get("text") or "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="+", type=Path)
    for folder in parser.parse_args().folder:
        pages = load(folder)
        for name, extract in (("plain trafilatura", plain), ("hds", ours)):
            row = measure(pages, extract)
            print(f"{folder.name:24} {name:18} " + "  ".join(f"{key} {value:.4f}" for key, value in row.items()))


if __name__ == "__main__":
    main()
