"""How long drawing a token takes beside evaluating one, with a vocabulary of 262,144 tokens (Gemma 3 270M).

    python -m tests.benchmarks.sampling [MODEL.gguf] [--threads N] [--rounds N]

Milliseconds, the best of the rounds. Figure: drawing costs less than evaluation.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from hds_cli.engine.base import ModelSpec, Sampling, Segment
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.llama.sampling import sampler
from tests.engine import gemma

PROMPT = "Oslo is the capital of Norway. Stockholm is the capital of"
JSON = r'root ::= "{\"capital\": \"" [A-Za-z ]{1,40} "\"}"'
WAYS = {
    "greedy": (Sampling(), None),
    "of 40": (Sampling(0.7, 0.95, 40), None),
    "of all": (Sampling(0.7, 0.95), None),
    "greedy, a grammar": (Sampling(), JSON),
    "of 40, a grammar": (Sampling(0.7, 0.95, 40), JSON),
    "of all, a grammar": (Sampling(0.7, 0.95), JSON),
}


def evaluation(engine: LlamaEngine, rounds: int) -> float:
    """Seconds for one token."""
    session = engine.session()
    session.append([Segment("<bos>", True), Segment(PROMPT)])
    session.generate(max_tokens=1)
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        session.generate(max_tokens=4)
        took.append((time.perf_counter() - began) / 4)
    return min(took)


def drawing(engine: LlamaEngine, sampling: Sampling, grammar: str | None, rounds: int) -> float:
    """Seconds for one draw of the last batch's logits."""
    decoder = engine._decoder
    assert decoder is not None

    def once() -> float:
        with sampler(engine._api, engine._vocabulary, sampling, grammar) as draw:
            began = time.perf_counter()
            draw(decoder._context, -1)
            return time.perf_counter() - began

    return decoder._call(lambda: min(once() for _ in range(rounds)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    engine = LlamaEngine(ModelSpec("bench", args.model or gemma.path()), n_ctx=512, n_threads=args.threads)
    print(f"evaluating a token: {evaluation(engine, args.rounds) * 1e3:.1f} ms")
    for name, (sampling, grammar) in WAYS.items():
        print(f"drawing one, {name}: {drawing(engine, sampling, grammar, args.rounds) * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
