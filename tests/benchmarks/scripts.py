"""Questions in many scripts: is the page found among all the others, and does its answer reach the model?

    python tests/benchmarks/scripts.py

`scripts.json` holds small pages of our own, a price for each of fifteen things, and a question for each, written with
other capitals, accents or points than the page where the script has them. All pages are one collection. `found`: the
page is among the five best; `read`: a passage with its price is read for the query.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hds_cli.agent.evidence import Evidence, turn_budget
from hds_cli.search.local import Collection
from hds_cli.types import Document

FILE = Path(__file__).with_name("scripts.json")


def measure(folder: Path) -> dict[str, tuple[str, int, int, int]]:
    """By language: its script, how many questions, how many pages were found, how many answers read."""
    rows = json.loads(FILE.read_text("utf-8"))
    collection = Collection("scripts", folder, create=True)
    documents = [
        Document(f"{row['language']}{n}", "", page["text"], f"local://scripts/{row['language']}/{n}")
        for row in rows
        for n, page in enumerate(row["pages"])
    ]
    collection.update(documents, "scripts")
    counts = {}
    for row in rows:
        found = read = 0
        for n, page in enumerate(row["pages"]):
            results = collection.search(page["question"], 5)
            found += f"local://scripts/{row['language']}/{n}" in [result.url for result in results]
            pages = [collection.read(result.url) for result in results]
            evidence = Evidence(page["question"], lambda text: len(text) // 2 + 1)
            (passages,) = evidence.select([(page["question"], [p for p in pages if p])], turn_budget(8192, 6000))
            read += any(page["answer"] in passage.text for passage in passages)
        counts[row["language"]] = (row["script"], len(row["pages"]), found, read)
    return counts


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        counts = measure(Path(folder))
    print("| language | script | questions | found | read |\n|---|---|---|---|---|")
    for language, (script, number, found, read) in counts.items():
        print(f"| {language} | {script} | {number} | {found} | {read} |")
    total = sum(number for _, number, _, _ in counts.values())
    found, read = (sum(count[place] for count in counts.values()) for place in (2, 3))
    print(
        f"\n{total} questions, {len({c[0] for c in counts.values()})} scripts: found {found / total:.3f}, read {read / total:.3f}"
    )


if __name__ == "__main__":
    main()
