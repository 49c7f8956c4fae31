"""Milliseconds a claim of the verifier: ten claims in a batch about a passage of 200 tokens, each passage a new one.

    python tests/benchmarks/verifier.py [--passages 5] [--threads N]

The adapter is switched for each passage: the starter's own session writes a token before it, over the same weights.
"""

from __future__ import annotations

import argparse
import statistics
import time

from hds_cli.agent.verifying import Text
from hds_cli.engine.base import Segment
from hds_cli.engine.llama.model import LlamaEngine
from hds_starter import model
from hds_verify import ADAPTER, opened
from hds_verify.evaluate import rows_of
from hds_verify.kept import Kept
from hds_verify.training.data import HERE

TOKENS, CLAIMS = 200, 10


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=5)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    engine = LlamaEngine(model(), n_ctx=512, n_threads=options.threads)
    text = " ".join(row["text"] for row in rows_of(HERE / "own.jsonl"))
    claims = [row["claim"] for row in rows_of(HERE / "limits_claims.jsonl") if row["kind"] == "table"][:CLAIMS]
    verifier = opened(ADAPTER, engine, kept=Kept("", disk=False))
    session = engine.session()
    spent = []
    for number in range(options.passages + 1):
        start = 1200 * number
        stop = start + 400
        while engine.count([Segment(text[start : stop + 20])]) < TOKENS:
            stop += 20
        session.rewrite(0, [Segment("Oslo")])
        session.generate(max_tokens=1)
        begun = time.perf_counter()
        verifier.verify([Text("", text[start:stop])], [claims])
        spent.append(1000 * (time.perf_counter() - begun) / CLAIMS)
    verifier.close()
    engine.close()
    print(f"{statistics.median(spent[1:]):.0f} ms a claim (median of {options.passages}; {min(spent[1:]):.0f} at best)")


if __name__ == "__main__":
    main()
