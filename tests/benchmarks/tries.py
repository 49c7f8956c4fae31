"""Several tries against one: are more answers right, what do they cost, and does agreement tell right from wrong?

    python tests/benchmarks/tries.py QUESTIONS.jsonl [--tries 1 3] [--limit N] [--source NAME …] [--temperature F]

A line of the file has `question` and `answers`. Every question is asked offline with the model that the settings name.
`right`: an answer that holds one of those given; `wrong`: another one that was shown; `tokens` that were written and
`s` for a question, means; `right if most agree`: share of right ones among the answers on which more than half of the
tries agree, and in how many questions that is so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from hds_cli import config, events
from hds_cli.agent.support.values import same, values
from hds_cli.desk import tries
from hds_cli.desk.desk import Desk, desk
from hds_cli.engine.opening import find_model
from hds_cli.errors import HdsError
from hds_cli.text import quote_words


async def asked(place: Desk, question: str, count: int) -> events.RunFinished | None:
    try:
        if count == 1:
            return await place.answer(question, lambda event: None)
        return await tries.answer(place, question, lambda event: None, tries=count)
    except HdsError:
        return None


async def measure(rows: list[dict[str, Any]], count: int, settings: config.Settings) -> list[float]:
    ends: list[events.RunFinished | None] = []
    seconds = []
    async with desk(find_model(settings), settings, jobs=tries.AT_ONCE + 1) as place:
        for row in rows:
            began = time.perf_counter()
            ends.append(await asked(place, row["question"], count))
            seconds.append(time.perf_counter() - began)
    answered = [(row, end) for row, end in zip(rows, ends, strict=True) if end and end.answer]
    right = [is_right(row, str(end.answer)) for row, end in answered]
    sure = [
        ok for ok, (_, end) in zip(right, answered, strict=True) if end.agreement and 2 * end.agreement.agree > count
    ]
    tokens = fmean(end.usage.generated_tokens for end in ends if end)
    return [sum(right), len(right) - sum(right), tokens, fmean(seconds), fmean(sure) if sure else 0.0, len(sure)]


def is_right(row: dict[str, Any], answer: str) -> bool:
    """True for an answer that holds one of those given: its words, or its number however it is written."""
    text, stated = f" {quote_words(answer)} ", values(answer)
    return any(
        f" {quote_words(one)} " in text or any(same(a, b) for a in stated for b in values(one))
        for one in row["answers"]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("questions", type=Path)
    parser.add_argument("--tries", nargs="+", type=int, default=[1, 3], metavar="N")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--source", nargs="+", metavar="NAME")
    parser.add_argument("--temperature", type=float)
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.questions.open(encoding="utf-8") if line.strip()]
    rows = [row for row in rows if row.get("answers")][: args.limit]
    source = tuple(args.source) if args.source else None
    settings = config.load({"offline": True, "source": source, "temperature": args.temperature})
    print(f"{len(rows)} questions\n")
    print("| tries | right | wrong | tokens | s | right if most agree | questions |\n|---|---|---|---|---|---|---|")
    for count in args.tries:
        right, wrong, tokens, seconds, sure, number = asyncio.run(measure(rows, count, settings))
        agree = f"{sure:.2f} | {number:.0f}" if count > 1 else " | "
        print(f"| {count} | {right:.0f} | {wrong:.0f} | {tokens:.0f} | {seconds:.1f} | {agree} |", flush=True)


if __name__ == "__main__":
    main()
