"""A model file is data from strangers: what crashes llama.cpp does so in a child, once (figure F19)."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from hds_cli.engine import trial
from hds_cli.engine.base import ModelSpec
from hds_cli.engine.files import gguf, remembered
from hds_cli.engine.files.models import fingerprint
from hds_cli.engine.opening import open_llama
from hds_cli.errors import ModelUnusable
from tests.conftest import ROOT
from tests.engine import tiny

MUTANTS = int(os.environ.get("HDS_TEST_MUTANTS", "100"))  # F19 in full: HDS_TEST_MUTANTS=1000
ENVIRONMENT = {**os.environ, "GGML_NO_BACKTRACE": "1"}


@pytest.fixture
def good(tmp_path: Path, home: Path) -> Path:
    return tiny.write(tmp_path / "good.gguf")


@pytest.fixture
def killer(tmp_path: Path, home: Path) -> Path:
    """A file whose header is right, and whose vocabulary lacks the byte `O`: llama.cpp aborts when it comes up."""
    path = tiny.write(tmp_path / "killer.gguf")
    path.write_bytes(path.read_bytes().replace(b"<0x4F>", b"<0x_F>"))
    gguf.read_header(path)
    return path


def load(path: Path) -> str:
    """Load a model and let it write; the word it ends with."""
    engine = open_llama(ModelSpec("m", path), n_ctx=256, n_threads=1)
    engine.close()
    return "loaded"


def test_a_file_that_aborts_llama_cpp_is_an_error_here(killer: Path) -> None:
    """One line that names the signal; this process is alive to say it."""
    with pytest.raises(ModelUnusable, match="SIGABRT"):
        load(killer)


def test_without_the_guard_the_same_file_kills_the_process(killer: Path) -> None:
    """So the test above sees the hazard."""
    code = (
        "from pathlib import Path; from hds_cli.engine.llama.model import LlamaEngine; from hds_cli.engine.base import *;"
        f"e = LlamaEngine(ModelSpec('m', Path({str(killer)!r})), n_ctx=256, n_threads=1);"
        "e.count([Segment('Oslo')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, env=ENVIRONMENT)
    assert done.returncode == -6


def test_a_good_file_is_tried_once_and_remembered(good: Path, home: Path) -> None:
    """By its checksum and the build of llama.cpp: a second path to the same bytes is not tried again."""
    assert load(good) == "loaded"
    said = json.loads((home / "cache" / "models-tried.json").read_text())
    assert list(said.values()) == ["loaded"]
    assert fingerprint(good) in next(iter(said))
    copy = good.with_name("copy.gguf")
    copy.write_bytes(good.read_bytes())
    trial.ensure(copy.with_name("not-there.gguf"), fingerprint(copy))


def test_a_file_of_the_table_is_not_tried(home: Path) -> None:
    """The starter pays for no child."""
    from hds_cli.engine.files.known import FILES

    for digest in FILES:
        trial.ensure(Path("/nowhere"), digest)


def test_a_file_that_changed_is_tried_again(good: Path, killer: Path) -> None:
    """Its checksum is another, its path is not."""
    load(good)
    good.write_bytes(killer.read_bytes())
    with pytest.raises(ModelUnusable):
        load(good)


def test_the_child_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a search key nor a token of the hub."""
    monkeypatch.setenv("HDS_BRAVE_API_KEY", "secret")
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert "secret" not in trial.environment().values()


def test_a_memory_that_cannot_be_written_costs_only_the_memory(good: Path, home: Path) -> None:
    """A file where the folder should be."""
    home.mkdir()
    (home / "cache").write_text("")
    assert load(good) == "loaded"
    assert remembered.get("models-tried.json", "x") is None


def test_no_mutant_kills_the_process_that_loads_it(good: Path, tmp_path: Path) -> None:
    """F19: flipped bits and odd numbers in the header; each ends as an error or as a model."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.mutants", str(good), str(MUTANTS)],
        capture_output=True, text=True, check=False, cwd=ROOT, env=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    ends = json.loads(done.stdout)
    assert sum(ends.values()) == MUTANTS
    assert ends["refused by its header"] > MUTANTS / 4
    assert ends["crashed in the child"] >= 1


def _tensors(path: Path) -> int:
    """Where the list of tensors begins."""
    return path.read_bytes().index(b"token_embd.weight") - 8


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (25, struct.pack("<I", 0), "0 dimensions"),
        (25, struct.pack("<I", 9), "9 dimensions"),
        (29, struct.pack("<Q", 0), "no elements"),
        (29, struct.pack("<Q", 1 << 62), "more elements"),
        (37, struct.pack("<Q", 1 << 20), "cut off"),
        (45, struct.pack("<I", 2), "whole blocks|cut off|lie where"),
        (49, struct.pack("<Q", 8), "lie where"),
        (49, struct.pack("<Q", 1 << 40), "cut off"),
        (0, struct.pack("<Q", 1 << 40), "too long"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused_by_the_header(good: Path, place: int, value: bytes, words: str) -> None:
    """Dimensions, elements, blocks, alignment and extent, before llama.cpp sees the file."""
    data = bytearray(good.read_bytes())
    begin = _tensors(good) + place
    data[begin : begin + len(value)] = value
    good.write_bytes(data)
    if place == 45:  # a quantized type: 32 elements a row are one block, so only the extent can be wrong
        data[begin : begin + 4] = struct.pack("<I", 12)
        good.write_bytes(data)
    with pytest.raises(ModelUnusable, match=words):
        gguf.read_header(good)


@pytest.mark.parametrize("alignment", [0, 3, 1 << 30])
def test_an_alignment_that_is_none_is_refused(tmp_path: Path, alignment: int) -> None:
    """A power of two, and not a gigabyte."""
    path = tiny.write(tmp_path / "m.gguf", tiny.metadata(general__alignment=alignment))
    with pytest.raises(ModelUnusable, match="alignment"):
        gguf.read_header(path)


def test_what_to_type_is_of_the_engine_that_tried_it(good: Path) -> None:
    """A process that does not even start names that engine's package."""
    with pytest.raises(ModelUnusable) as refused:
        trial.attempt(good, trial.Trial("not_there.trial", package="other-llama"))
    assert "other-llama" in str(refused.value.hint)


@pytest.mark.parametrize("damage", [b"[" * 100_000, b'{"k": "v"}' + b" " * (2 << 20) + b"x"])
def test_what_is_remembered_wrongly_is_begun_anew(home: Path, damage: bytes) -> None:
    """Nested without an end, or long: nothing is known, and what is put there next is."""
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "models.json").write_bytes(damage)
    remembered.put("models.json", "k", "w")
    assert remembered.get("models.json", "k") == "w"


@pytest.mark.parametrize(
    ("counts", "body", "words"),
    [
        ((1 << 20, 0), b"", "does not fit its size"),
        ((0, 1 << 20), b"", "does not fit its size"),
        ((0, 9), struct.pack("<QIQ", 0, 8, 16 << 20) + bytes(16 << 20), "too long"),
        ((0, 9), struct.pack("<QIIQ", 0, 9, 8, 1 << 20) + bytes(8 << 20), "too long"),
    ],
)  # fmt: skip
def test_a_header_takes_no_more_memory_and_time_than_a_models_does(
    tmp_path: Path, counts: tuple[int, int], body: bytes, words: str
) -> None:
    """A file of gigabytes is no reason to read as many entries as would fit into it."""
    path = tmp_path / "m.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, *counts) + body * 5)
        file.truncate(1 << 30)
    with pytest.raises(ModelUnusable, match=words):
        gguf.read_header(path)


def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    """Nobody would ever write to it."""
    os.mkfifo(tmp_path / "m.gguf")
    with pytest.raises(ModelUnusable, match="a pipe"):
        gguf.read_header(tmp_path / "m.gguf")
