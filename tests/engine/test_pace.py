"""How fast a model is, as it is measured while it works, and what is kept of that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hds_cli.engine.base import ModelSpec, Segment
from hds_cli.engine.files import learned
from hds_cli.engine.files.learned import Learned
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.pace import Pace, Speeds, Timed, Watch
from hds_cli.engine.scripted import ScriptedEngine
from tests.engine import tiny

DIGEST = "ab" * 32


class Heard(Watch):
    def __init__(self) -> None:
        self.said: list[tuple[str, int, float | None]] = []

    def reads(self, tokens: int, seconds: float | None) -> None:
        self.said.append(("reads", tokens, seconds))

    def writes(self, tokens: int, per_second: float | None) -> None:
        self.said.append(("writes", tokens, per_second))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HDS_HOME", str(tmp_path))
    return tmp_path


def test_a_session_is_measured_while_it_writes(tmp_path: Path) -> None:
    """400 characters at 400 a second are 100 tokens in a second."""
    script = tmp_path / "s.jsonl"
    script.write_text(json.dumps({"text": "word " * 80, "chars_per_second": 400}))
    pace = Pace()
    pace.watch = heard = Heard()
    session = Timed(ScriptedEngine(script).session(), pace)
    session.append([Segment("x" * 400)])
    assert pace.pending() == 100
    written = session.generate(max_tokens=1000)
    assert written.text == "word " * 80
    assert pace.pending() == 0
    assert heard.said[0] == ("reads", 100, None)
    assert heard.said[1][0] == "writes"
    assert pace.speeds.writing == pytest.approx(100, rel=0.5)
    assert pace.speeds.reading is None, "it was evaluated when it was put in"


def test_a_call_writes_no_more_than_it_may(tmp_path: Path) -> None:
    script = tmp_path / "s.jsonl"
    script.write_text(json.dumps({"text": "word " * 80}))
    pace = Pace()
    pace.most = lambda tokens: min(tokens, 10)
    generation = Timed(ScriptedEngine(script).session(), pace).generate(max_tokens=1000)
    assert (generation.tokens, generation.reason) == (10, "length")


def test_what_is_measured_now_outweighs_what_was_known() -> None:
    """And a few tokens say nothing."""
    pace = Pace(Speeds(1000.0, 100.0))
    pace.read(8, 8.0)
    assert pace.speeds.reading == 1000
    for _ in range(3):
        pace.read(500, 10.0)
        pace.wrote(50, 10.0)
    assert pace.speeds.reading == pytest.approx(50, rel=0.2)
    assert pace.speeds.writing == pytest.approx(5, rel=0.2)


def test_what_was_learned_is_kept_for_the_next_run(home: Path) -> None:
    """A new measurement moves a speed half of the way; what was not measured stays."""
    assert learned.known(DIGEST) == Learned()
    learned.learn(DIGEST, Learned(reading=100.0, writing=10.0, turns=3.0))
    learned.learn(DIGEST, Learned(reading=200.0, n_threads=2))
    assert learned.known(DIGEST) == Learned(reading=150.0, writing=10.0, turns=3.0, n_threads=2)
    assert learned.known("cd" * 32) == Learned()
    assert learned.file_of(DIGEST).stat().st_mode & 0o077 == 0
    assert home in learned.file_of(DIGEST).parents


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"schema": "hds.learned/9"}', b"[" * 9999])
def test_a_damaged_file_costs_only_what_was_learned(home: Path, content: bytes) -> None:
    learned.learn(DIGEST, Learned(reading=100.0))
    learned.file_of(DIGEST).write_bytes(content)
    assert learned.known(DIGEST) == Learned()
    learned.learn(DIGEST, Learned(reading=50.0))
    assert learned.known(DIGEST).reading == 50


def test_values_that_nobody_measured_are_not_believed(home: Path) -> None:
    learned.learn(DIGEST, Learned(reading=100.0))
    path = learned.file_of(DIGEST)
    odd = {"reading": -1, "writing": "fast", "turns": 1e300, "n_threads": 10**9, "n_batch": True, "n_gpu_layers": -1}
    path.write_text(json.dumps(json.loads(path.read_text()) | odd))
    assert learned.known(DIGEST) == Learned()


def test_an_adapter_makes_another_model() -> None:
    assert learned.key("a", None) == "a"
    assert learned.key(None, "b") is None
    assert learned.key("a", "b") not in ("a", "b", learned.key("a", "c"))


def test_another_engine_is_of_another_speed() -> None:
    """What was kept of llama.cpp in this process is found by the name that it had."""
    for adapter in (None, "b"):
        here = learned.key("a", adapter)
        assert here == learned.key("a", adapter, engine="llama_cpp")
        assert learned.key("a", adapter, engine="xllamacpp") not in (here, learned.key("a", adapter, engine="other"))
    assert learned.key(None, "b", engine="xllamacpp") is None


def test_a_model_in_this_process_says_what_it_reads_first(tmp_path: Path) -> None:
    """All of a new text; after it has written, its last token and what was added; nothing of a beginning that stays."""
    engine = LlamaEngine(ModelSpec("tiny", tiny.write(tmp_path / "tiny.gguf")), n_ctx=256, n_threads=1)
    pace = Pace()
    session = Timed(engine.session(), pace)
    tokens = session.append([Segment("one two three four five six")])
    assert pace.pending() == tokens > 4
    session.generate(max_tokens=3)
    assert pace.pending() <= 1
    session.append([Segment("seven eight")])
    assert 1 < pace.pending() < tokens
    session.rewrite(0, [Segment("one two three four five six")])
    assert pace.pending() <= 1
    engine.close()
