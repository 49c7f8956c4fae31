"""How fast the engine writes: against llama-cpp-python's own loop, and with several sessions at once.

    python -m tests.benchmarks.engine [MODEL.gguf] [--threads N] [--tokens N] [--rounds N]

    python -m tests.benchmarks.engine beside [MODEL.gguf] [--busy N] [--tokens N] [--rounds N]

    python -m tests.benchmarks.engine start [MODEL.gguf] [--threads N] [--tokens N] [--rounds N]

Without a model it is the starter's base. Ratios of one run; each figure is the best of the rounds, which take turns, as
a busy machine only makes things slower. Figures: 1 session ≥ 0.98 × the own loop.

`beside`: without `--threads`, alone and beside processes that do nothing but work. Figures: alone ≥ 0.97 × a fixed
thread a core, beside one process ≥ 0.8 × what one thread reaches there. On a machine that does something else as well,
only the second says anything.

`start`: from opening the model to the first token behind a beginning of so many tokens, at a first start and at a second
one, which finds the beginning evaluated. Figure: the second ≤ 0.35 × the first, with 1,024 tokens.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hds_cli.engine.base import ModelSpec, Sampling, Segment
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.shelf import Shelf

PROMPT = "Count from one to one thousand, in words, and do not stop before: one, two, three, four, "
SESSIONS = (1, 2, 4)
N_CTX = 1024


def own_loop(path: Path, threads: int, tokens: int) -> Callable[[], float]:
    """llama-cpp-python's `Llama.generate`, without its text: seconds for `tokens` tokens."""
    import llama_cpp

    model: Any = llama_cpp.Llama(
        str(path), n_ctx=N_CTX, n_threads=threads, n_threads_batch=threads, n_batch=512, verbose=False
    )
    prompt = model.tokenize(PROMPT.encode(), add_bos=False)

    def once() -> float:
        model.reset()
        written = model.generate(prompt, temp=0.0, top_k=1)
        next(written)  # the prompt is evaluated
        began = time.perf_counter()
        for _ in range(tokens):
            next(written)
        return time.perf_counter() - began

    return once


def ours(path: Path, threads: int, tokens: int, sessions: int) -> Callable[[], float]:
    """As many sessions at once: seconds for `tokens` tokens in each."""
    engine = LlamaEngine(ModelSpec("bench", path), n_ctx=N_CTX, n_threads=threads, n_gpu_layers=0, sequences=sessions)

    def once() -> float:
        opened = [engine.session() for _ in range(sessions)]
        for session in opened:
            session.append([Segment(PROMPT)])
            session.generate(max_tokens=1)
        # A grammar-free model may end: greedy counting does not, in so few tokens.
        with ThreadPoolExecutor(sessions) as pool:
            began = time.perf_counter()
            made = list(pool.map(lambda s: s.generate(max_tokens=tokens, sampling=Sampling(0.0)), opened))
            seconds = time.perf_counter() - began
        for session in opened:
            session.close()
        written = sum(m.tokens for m in made)
        return seconds * tokens * sessions / written

    return once


@contextlib.contextmanager
def working(processes: int) -> Iterator[None]:
    """So many processes that do nothing but work, at this one's priority."""
    started = [subprocess.Popen([sys.executable, "-c", "while 1: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def beside(path: Path, tokens: int, rounds: int, busy: int) -> None:
    """Tokens a second of one session with one thread, with one a core, and with those that the engine chooses.

    The ways take turns within each round, and the median of the rounds counts, as it is the crawling that is measured.
    """
    ways = {"one thread": 1, "one a core": os.cpu_count() or 1, "chosen": None}
    for processes in (0, busy):
        rates: dict[str, list[float]] = {name: [] for name in ways}
        engines = {
            name: LlamaEngine(ModelSpec("bench", path), n_ctx=N_CTX, n_threads=threads, n_gpu_layers=0)
            for name, threads in ways.items()
        }
        with working(processes):
            for _ in range(rounds):
                for name, engine in engines.items():
                    session = engine.session()
                    session.append([Segment(PROMPT)])
                    session.generate(max_tokens=1)
                    began = time.perf_counter()
                    # Beside a busy process a token of two threads may take seconds: an eighth of them says enough.
                    most = tokens // 8 if processes and name == "one a core" else tokens
                    written = session.generate(max_tokens=most, sampling=Sampling(0.0)).tokens
                    rates[name].append(written / (time.perf_counter() - began))
                    session.close()
        for engine in engines.values():
            engine.close()
        medians = {name: statistics.median(found) for name, found in rates.items()}
        print(f"{path.name}, {tokens} tokens, median of {rounds} rounds, beside {processes} busy processes")
        for name, rate in medians.items():
            ratios = (f"{rate / medians[other]:6.2f} × {other}" for other in ("one thread", "one a core"))
            print(f"{name:12} {rate:8.1f} tokens/s  {'  '.join(ratios)}", flush=True)


def start(path: Path, threads: int, tokens: int, rounds: int) -> None:
    """Seconds to the first token of a first and a second start; the median of the rounds."""

    def opened(shelf: Shelf | None = None) -> LlamaEngine:
        spec = ModelSpec("bench", path)
        return LlamaEngine(spec, n_ctx=2 * tokens, n_threads=threads, n_gpu_layers=0, shelf=shelf)

    engine = opened()
    ids = engine.tokenize([Segment("You read passages and answer questions on them. " * tokens)])[:tokens]
    beginning = b"".join(map(engine.piece, ids)).decode()
    engine.close()
    prompt = [Segment(beginning, True), Segment("\nWhat is read here?"), Segment("\nAnswer:", True)]
    seconds: dict[str, list[float]] = {"first": [], "second": []}
    opening: list[float] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name, found in seconds.items():
                shelf = Shelf(Path(folder) / "states", 1 << 30)
                began = time.perf_counter()
                engine = opened(shelf)
                opening.append(time.perf_counter() - began)
                session = engine.session()
                session.append(prompt)
                session.generate(max_tokens=1)
                found.append(time.perf_counter() - began)
                while name == "first" and not shelf.size()[0]:
                    time.sleep(0.01)  # the file is written beside what follows
                engine.close()
    first, second = (statistics.median(found) for found in seconds.values())
    print(f"{path.name}, {threads} threads, a beginning of {tokens} tokens, median of {rounds} rounds")
    print(f"first start {first:.2f} s, second {second:.2f} s: {second / first:.2f}; opening {min(opening):.2f} s of it")


def main() -> None:
    """What the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="*")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--busy", type=int, default=1)
    args = parser.parse_args()
    section = args.model.pop(0) if args.model[:1] in (["beside"], ["start"]) else ""
    if not args.model:
        import hds_starter

        args.model = [hds_starter.model().path]
    args.model = Path(args.model[0])
    if section == "beside":
        return beside(args.model, args.tokens, args.rounds, args.busy)
    if section == "start":
        return start(args.model, args.threads, args.tokens, args.rounds)
    ways = {"llama-cpp-python's own loop": (own_loop(args.model, args.threads, args.tokens), 1)} | {
        f"hds, sessions at once: {n}": (ours(args.model, args.threads, args.tokens, n), n) for n in SESSIONS
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(args.rounds):
        for name, (once, _) in ways.items():
            best[name] = min(best[name], once())
    rates = {name: args.tokens * sessions / best[name] for name, (_, sessions) in ways.items()}
    base, one = (rates[name] for name in list(ways)[:2])
    print(f"{args.model.name}, {args.threads} threads, {args.tokens} tokens, best of {args.rounds}")
    for name, rate in rates.items():
        print(f"{name:30} {rate:8.1f} tokens/s  {rate / base:5.2f} × own loop  {rate / one:5.2f} × one session")


if __name__ == "__main__":
    main()
