"""How fast the engine writes: against llama-cpp-python's own loop, and with several sessions at once.

    python -m tests.benchmarks.engine [MODEL.gguf] [--threads N] [--tokens N] [--rounds N]

    python -m tests.benchmarks.engine beside [MODEL.gguf] [--busy N] [--tokens N] [--rounds N]

    python -m tests.benchmarks.engine draft [MODEL.gguf] [--threads N] [--rounds N]
    python -m tests.benchmarks.engine start [MODEL.gguf] [--threads N] [--tokens N] [--rounds N]

Without a model it is the starter's base. Ratios of one run; each figure is the best of the rounds, which take turns, as
a busy machine only makes things slower. Figures: 1 session ≥ 0.98 × the own loop.

`beside`: without `--threads`, alone and beside processes that do nothing but work. Figures: alone ≥ 0.97 × a fixed
thread a core, beside one process ≥ 0.8 × what one thread reaches there. On a machine that does something else as well,
only the second says anything. hds sets no GOMP_SPINCOUNT: with 0, two threads wrote 20 to 47 tokens a second beside a dozen
busy processes, with 1,000 eight to 22, with 10,000 one to three, without it none, and one thread 4 to 10 (SmolLM2-135M); but
a wait that always sleeps costs an idle machine more than half of its speed.

`draft`: what it costs to have a guess of the next tokens looked over in one batch, and whether a batch computes what
single tokens do. Looked up in what was read (prompt lookup), a guess of k tokens has to be right in more of them than
`cost - 1`. hds does not guess: with SmolLM2-135M (Q4_1) on a processor a batch of 3, 4 and 8 tokens cost 2.3, 2.9 and
5.2 times one, and over the 351 tokens of four runs of the starter guesses of 2, 3 and 7 tokens made 0.97, 0.91 and 0.70
of the speed. With two threads and more, over 512 cells and more, a batch has other last bits than single tokens, and so,
maybe, another text at temperature 0.

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
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hds_cli.engine.base import ModelSpec, Sampling, Segment
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.shelf import Shelf

PROMPT = "Count from one to one thousand, in words, and do not stop before: one, two, three, four, "
SESSIONS = (1, 2, 4)
N_CTX = 1024
PATIENCE = 10.0  # seconds: beside a busy process two threads may need some for a token


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
                    rates[name].append(rate(engine, tokens))
        for engine in engines.values():
            engine.close()
        medians = {name: statistics.median(found) for name, found in rates.items()}
        print(f"{path.name}, {tokens} tokens, median of {rounds} rounds, beside {processes} busy processes")
        for name, median in medians.items():
            ratios = (f"{median / max(medians[other], 0.01):6.2f} × {other}" for other in ("one thread", "one a core"))
            print(f"{name:12} {median:8.1f} tokens/s  {'  '.join(ratios)}", flush=True)


def rate(engine: LlamaEngine, tokens: int) -> float:
    """Tokens a second behind a short prompt; after `PATIENCE` seconds, of those that were written until then."""
    session = engine.session()
    session.append([Segment(PROMPT)])
    timer = threading.Timer(PATIENCE, session.abort)
    timer.start()
    session.generate(max_tokens=1)
    began = time.perf_counter()
    written = session.generate(max_tokens=tokens, sampling=Sampling(0.0)).tokens
    seconds = time.perf_counter() - began
    timer.cancel()
    session.close()
    return written / seconds


def draft(path: Path, threads: int, rounds: int) -> None:
    """The time of a batch of some tokens, in times that of one, and the logits of both compared."""
    engine = LlamaEngine(ModelSpec("bench", path), n_ctx=N_CTX, n_threads=threads, n_gpu_layers=0)
    for length in (200, 600):
        print(f"{path.name}, {threads} threads, behind {length} tokens, best of {rounds}")
        costs, same = guesses(engine, length, rounds)
        for count, cost in costs.items():
            bits = "equal" if same[count] else "other last bits"
            print(f"{count} tokens at once {cost:6.2f} × one token, {bits}")
    engine.close()


def guesses(engine: LlamaEngine, length: int, rounds: int) -> tuple[dict[int, float], dict[int, bool]]:
    """By the number of tokens at once: their cost in times that of one, and whether their logits are the same."""
    import numpy as np

    ids = engine.tokenize([Segment(PROMPT * 60)])[: length + 8]
    session = engine.session()
    session.append([Segment(b"".join(map(engine.piece, ids[:length])).decode("utf-8", "replace"))])
    session.generate(max_tokens=1)
    decoder, size = engine._decoder, engine.walk_vocabulary()
    assert decoder is not None
    api, batch, context = engine._api, decoder._batch, decoder._context
    number, end = session._sequence.number, session._sequence.evaluated

    def run(guess: Sequence[int], at: int = end) -> tuple[float, list[Any]]:
        """Seconds for these tokens behind the text, and the logits of each."""
        for n, token in enumerate(guess):
            batch.token[n], batch.pos[n], batch.n_seq_id[n] = token, at + n, 1
            batch.seq_id[n][0], batch.logits[n] = number, True
        batch.n_tokens = len(guess)
        began = time.perf_counter()
        assert api.llama_decode(context, batch) == 0
        seconds = time.perf_counter() - began
        rows = [api.llama_get_logits_ith(context, n) for n in range(len(guess))]
        return seconds, [np.array(np.ctypeslib.as_array(row, shape=(size,))) for row in rows]

    def forget() -> None:
        api.llama_memory_seq_rm(api.llama_get_memory(context), number, end, -1)

    guess = ids[length:]
    alone = [run([token], end + n)[1][0] for n, token in enumerate(guess)]
    forget()
    best = dict.fromkeys((1, 2, 3, 4, 8), float("inf"))
    same = dict.fromkeys(best, True)
    for _ in range(rounds):
        for count in best:
            seconds, rows = run(guess[:count])
            forget()
            best[count] = min(best[count], seconds)
            same[count] &= all(np.array_equal(a, b) for a, b in zip(rows, alone, strict=False))
    session.close()
    return {count: seconds / best[1] for count, seconds in best.items()}, same


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
    section = args.model.pop(0) if args.model[:1] in (["beside"], ["draft"], ["start"]) else ""
    if not args.model:
        import hds_starter

        args.model = [hds_starter.model().path]
    args.model = Path(args.model[0])
    if section == "beside":
        return beside(args.model, args.tokens, args.rounds, args.busy)
    if section == "draft":
        return draft(args.model, args.threads, args.rounds)
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
