"""Sentences of pages, as they stand and with one thing changed: how many are taken for said.

    python tests/benchmarks/changed.py [--data ../shared/data] [--pages 400] [--seed 7]

A sentence is judged against the passage it stands in, with three others on anything else beside it. Printed a kind:
clean (every unit has a ground) of all. The first two kinds should be clean, the others not:

    whole     the sentence
    clause    what stands before its first comma
    number    a number with another one in its place
    year      a year, three to six years off
    ordinal   `fourth` for `first`
    word      a number in words
    swapped   two names that stand apart, in each other's place
    name      a name, with another one of the passage that the sentence lacks in its place

No model and no verifier. Nothing here is good English: what a model gets wrong is harder to see. Reported, not gated.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hds_cli.agent.support.attribution import attribute
from hds_cli.types import GOOD_LEVELS, Passage

SETS = ("factbook_fanout", "hotpotqa_train100", "musique_train100", "nq_oracle", "fanoutqa_synth", "limit_small")
LENGTH = 1500  # characters of a passage
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
WORDS = "two three four five six seven eight nine ten eleven twelve".split()
NUMBER = re.compile(r"(?<![\w.,$])\d{1,3}(?:,\d{3})+(?!\d)|(?<![\w.,-])\d{1,3}(?![\w.,-])")
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
NAME = re.compile(r"[A-Z][\w'’.-]*\w(?:\s+(?:of|de|van|von|da|del|and the)?\s*[A-Z][\w'’.-]*\w)*")
LISTED = re.compile(r"[\s,]*(?:and|or|&)?[\s,]*")


def put(text: str, match: re.Match[str], other: str) -> str:
    return text[: match.start()] + other + text[match.end() :]


def clause(sentence: str, passage: str, rng: random.Random) -> str | None:
    part = re.split(r"[,;] ", sentence)[0]
    whole = part.count("(") == part.count(")") and part.count('"') % 2 == 0
    return f"{part}." if part != sentence and len(part.split()) > 5 and whole else None


def number(sentence: str, passage: str, rng: random.Random) -> str | None:
    if not (found := list(NUMBER.finditer(sentence))):
        return None
    match = rng.choice(found)
    value = int(match[0].replace(",", ""))
    other = max(value + 2, int(value * 1.3))
    return put(sentence, match, f"{other:,}" if "," in match[0] else str(other))


def year(sentence: str, passage: str, rng: random.Random) -> str | None:
    if not (found := list(YEAR.finditer(sentence))):
        return None
    match = rng.choice(found)
    return put(sentence, match, str(int(match[0]) + rng.choice([-6, -3, 4])))


def worded(listed: list[str]) -> Callable[[str, str, random.Random], str | None]:
    pattern = re.compile(rf"\b(?:{'|'.join(listed)})\b")

    def change(sentence: str, passage: str, rng: random.Random) -> str | None:
        if not (found := list(pattern.finditer(sentence))):
            return None
        match = rng.choice(found)
        return put(sentence, match, listed[(listed.index(match[0]) + 3) % len(listed)])

    return change


def apart(one: str, other: str) -> bool:
    return not set(one.split()) & set(other.split())


def swapped(sentence: str, passage: str, rng: random.Random) -> str | None:
    found = [match for match in NAME.finditer(sentence) if match.start()]
    pairs = []
    for place, one in enumerate(found):
        for other in found[place + 1 :]:
            between = sentence[one.end() : other.start()]
            if apart(one[0], other[0]) and not LISTED.fullmatch(between) and len(between.split()) > 2:
                pairs.append((one, other))
    if not pairs:
        return None
    one, other = rng.choice(pairs)
    return put(put(sentence, other, one[0]), one, other[0])


def name(sentence: str, passage: str, rng: random.Random) -> str | None:
    found = [match for match in NAME.finditer(sentence) if match.start() and len(match[0]) > 3]
    others = [one for one in NAME.findall(passage.replace(sentence, " ")) if len(one) > 3 and one not in sentence]
    pairs = [(match, other) for match in found for other in others if apart(match[0], other)]
    return put(sentence, *rng.choice(pairs)) if pairs else None


KINDS: dict[str, Callable[[str, str, random.Random], str | None]] = {
    "whole": lambda sentence, passage, rng: sentence, "clause": clause, "number": number, "year": year,
    "ordinal": worded(ORDINALS), "word": worded(WORDS), "swapped": swapped, "name": name,
}  # fmt: skip


def passages(data: Path, pages: int, rng: random.Random) -> list[tuple[str, str]]:
    """Titles and stretches of pages."""
    out = []
    for corpus in filter(Path.exists, (data / folder / "corpus.jsonl" for folder in SETS)):
        rows = corpus.read_text("utf-8").splitlines()
        for row in map(json.loads, rng.sample(rows, min(pages, len(rows)))):
            start = rng.randrange(max(1, len(row["text"]) - LENGTH))
            out.append((row.get("title", ""), row["text"][start : start + LENGTH]))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="How many changed sentences are taken for said.")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--pages", type=int, default=400, help="of each set")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    known = passages(given.data, given.pages, rng)
    clean, total = Counter[str](), Counter[str]()
    for title, text in known:
        sentences = [part.strip() for part in re.split(r"(?<=[.!?])\s+(?=[A-Z])", text) if 40 < len(part) < 300]
        beside = [Passage(f"m:{n}", *other, n) for n, other in enumerate(rng.sample(known, 3), 2)]
        read = [("", one) for one in (Passage("m:1", title, text, 1), *beside)]
        for sentence in rng.sample(sentences, min(2, len(sentences))):
            for kind, change in KINDS.items():
                changed = change(sentence, text, rng)
                if changed is None or (kind != "whole" and changed == sentence):
                    continue
                total[kind] += 1
                clean[kind] += all(support.level in GOOD_LEVELS for support in attribute(changed, "", read))
    for kind in KINDS:
        print(f"{kind:8} clean {clean[kind]:5} of {total[kind]:5}  {clean[kind] / max(1, total[kind]):6.1%}")


if __name__ == "__main__":
    main()
