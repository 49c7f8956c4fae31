"""The history: journals that survive whatever ends a run, and an index that is made from them again."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hds_cli import events
from hds_cli.errors import UsageError
from hds_cli.events import line
from hds_cli.history.index import RunIndex
from hds_cli.history.journal import Journal, keep, read, running, whole_lines
from hds_cli.history.store import RunStore
from hds_cli.render.report import DOCUMENTS, render
from hds_cli.types import ModelInfo, Passage
from tests.render.sample import whole_run


def write(folder: Path, run_id: str, *seen: events.Event) -> None:
    journal = Journal(run_id, folder)
    for event in seen:
        journal.handle(event)
    journal.close()
    assert journal.fault is None


def short(run_id: str, question: str, passage: str = "", answer: str | None = "yes") -> list[events.Event]:
    return [
        events.RunStarted(run_id=run_id, question=question, sources=("web",), model=ModelInfo("m"), started_at=f"2026-01-01T{run_id[-1:]}"),
        events.QueryProposed(turn=1, query=1, text="a query"),
        events.EvidenceSelected(turn=1, query=1, passages=(Passage("u", "A page", passage, 1),)),
        events.RunFinished(t=2.5, status="answered", answer=answer, explanation=None),
    ]  # fmt: skip


# --- journals ----------------------------------------------------------------------------------------------------


def test_a_journal_holds_the_very_lines_of_jsonl(tmp_path: Path) -> None:
    """One file a run, readable by its owner alone, each line as `--jsonl` prints it."""
    write(tmp_path / "runs", "7f3k", *whole_run())
    path = tmp_path / "runs" / "7f3k.jsonl"
    assert path.read_text() == "".join(line(event) + "\n" for event in whole_run())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_each_line_is_on_disk_when_its_event_is_over(tmp_path: Path) -> None:
    """Another process sees every event at once."""
    journal = Journal("a", tmp_path)
    for number, event in enumerate(whole_run(), 1):
        journal.handle(event)
        assert (tmp_path / "a.jsonl").read_bytes().count(b"\n") == number


def test_damaged_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    """A half last line, bytes that are no text, JSON that is no event, an event of a wrong type."""
    write(tmp_path, "a", *whole_run())
    wrong = [b"\xff\xfe\n", b"[]\n", b"{}\n", b'{"event": "thought", "turn": "one", "text": "x"}\n', b'{"event": "thou']
    data = (tmp_path / "a.jsonl").read_bytes() + b"".join(wrong)
    record = read(io.BytesIO(data))
    assert list(record.events) == whole_run()
    assert record.damaged == len(wrong)
    assert sum(not whole for _, whole in whole_lines(io.BytesIO(data))) == 3


def test_any_event_may_come_from_a_stranger(tmp_path: Path) -> None:
    """A field of another type is refused where the line is read; what passes is shown in every format."""
    chance = random.Random(7)
    strange = [None, -1, 1e300, True, "x" * 50, "\x1b[2J", [], {}, [{}], {"a": "b"}, float("nan"), 10**30]

    def spoil(value: object) -> object:
        if chance.random() < 0.05:
            return chance.choice(strange)
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        return [spoil(item) for item in value] if isinstance(value, list) else value

    refused = shown = 0
    for _ in range(60):
        rows = [spoil(json.loads(line(event))) for event in whole_run()]
        record = read(io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
        refused += record.damaged
        shown += len(record.events)
        for name in DOCUMENTS:
            assert "\x1b" not in render(name, record.events)
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        RunIndex(RunStore(tmp_path), tmp_path / "index").latest()
    assert refused > 100
    assert shown > 100


def test_a_fault_is_said_once_and_the_run_goes_on(tmp_path: Path) -> None:
    """A folder that cannot be made: one warning, every event still handed on."""
    (tmp_path / "file").write_text("")
    seen: list[events.Event] = []
    emit = keep(Journal("a", tmp_path / "file" / "runs"), seen.append)
    for event in whole_run():
        emit(event)
    told = [event for event in seen if isinstance(event, events.Notice) and event.code == "history"]
    assert len(told) == 1
    assert "not kept" in told[0].message
    assert [event for event in seen if event not in told] == whole_run()


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """A write that fails half-way (here: the limit on a file's size) is taken back."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from hds_cli.history.journal import Journal; from tests.render.sample import whole_run\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); j = Journal('a', Path(sys.argv[1]))\n"
        "[j.handle(e) for e in whole_run()]; print(j.fault)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "File too large\n"
    data = (tmp_path / "a.jsonl").read_bytes()
    assert 0 < len(data) <= 1000
    assert data.endswith(b"\n")
    assert read(io.BytesIO(data)).damaged == 0
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_a_run_that_goes_on_is_known(tmp_path: Path) -> None:
    """Its journal is held by the process that writes it, and by nobody after a kill."""
    journal = Journal("a", tmp_path)
    journal.handle(whole_run()[0])
    code = "import sys; from pathlib import Path; from hds_cli.history.journal import running; print(running(Path(sys.argv[1])))"
    ask = [sys.executable, "-c", code, str(tmp_path / "a.jsonl")]
    assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "True\n"
    journal.close()
    assert not running(tmp_path / "a.jsonl")
    assert not running(tmp_path / "none.jsonl")


# --- which run is meant ------------------------------------------------------------------------------------------


def test_a_run_is_named_by_id_beginning_or_last(tmp_path: Path) -> None:
    """A beginning must be of one run alone; what leads elsewhere is no name."""
    for number, run_id in enumerate(("ab2k", "ab3k", "cd4m")):
        write(tmp_path, run_id, *short(run_id, "q"))
        os.utime(tmp_path / f"{run_id}.jsonl", (number, number))
    store = RunStore(tmp_path)
    assert [store.find(name) for name in ("ab2k", "c", "last")] == ["ab2k", "cd4m", "cd4m"]
    for name, said in (
        ("ab", "2 runs begin"),
        ("ab9k", "no run"),
        ("", "no run"),
        ("../../etc/passwd", "no run"),
        ("*", "no run"),
    ):
        with pytest.raises(UsageError, match=said):
            store.find(name)
    with pytest.raises(UsageError) as caught:
        store.find("ab2m")
    assert caught.value.hint == "did you mean ab2k?"
    with pytest.raises(UsageError, match="no saved runs"):
        RunStore(tmp_path / "none").last()


# --- the index ---------------------------------------------------------------------------------------------------


def index(folder: Path) -> RunIndex:
    return RunIndex(RunStore(folder), folder / "index.sqlite")


def test_all_words_are_searched_in_question_answer_and_evidence(tmp_path: Path) -> None:
    """The question counts most; accents do not; a quotation mark or an operator is a word like any other."""
    write(tmp_path, "a1", *short("a1", "Where is Oslo?", "Norway's fjords", "In Norway"))
    write(tmp_path, "b2", *short("b2", "What is a fjord?", "Oslo lies at one: Ælves, café", "A bay"))
    found = index(tmp_path)
    assert [hit.run.run_id for hit in found.search(["oslo"])] == ["a1", "b2"]
    assert [hit.run.run_id for hit in found.search(["cafe", "OSLO"])] == ["b2"]
    assert "café" in found.search(["cafe"])[0].snippet
    assert found.search(["oslo", "nowhere"]) == []
    for words in (['"'], ["OR"], ["a*"], ["NEAR("], ["question:oslo"], ["-"], ["'"], [";--"], [""]):
        found.search(words)


def test_the_index_follows_the_journals(tmp_path: Path) -> None:
    """New, grown and removed journals are noticed by the next call; the rest is not read again."""
    write(tmp_path, "a1", *short("a1", "first")[:1])
    assert [(r.run_id, r.status) for r in index(tmp_path).latest()] == [("a1", "stopped")]
    with (tmp_path / "a1.jsonl").open("a") as file:
        file.write(line(short("a1", "first")[-1]) + "\n")
    write(tmp_path, "b2", *short("b2", "second"))
    assert [(r.run_id, r.status) for r in index(tmp_path).latest()] == [("b2", "answered"), ("a1", "answered")]
    RunStore(tmp_path).remove("b2")
    left = index(tmp_path)
    assert [r.run_id for r in left.latest()] == ["a1"]
    assert left.search(["second"]) == []
    before = (tmp_path / "index.sqlite").read_bytes()
    assert len(index(tmp_path)) == 1
    assert (tmp_path / "index.sqlite").read_bytes() == before


@pytest.mark.parametrize("damage", ["gone", "cut", "noise", "other version", "no table", "a folder"])
def test_the_index_is_made_again_from_the_journals(tmp_path: Path, damage: str) -> None:
    """Whatever happened to it, the runs are all there."""
    write(tmp_path, "a1", *short("a1", "first"))
    index(tmp_path).close()
    path = tmp_path / "index.sqlite"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "noise":
        path.write_bytes(os.urandom(20000))
    elif damage in ("gone", "a folder"):
        path.unlink()
        if damage == "a folder":
            path.mkdir()
    else:
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99" if damage == "other version" else "DROP TABLE runs")
    assert [r.run_id for r in index(tmp_path).latest()] == ["a1"]
    assert len(index(tmp_path).search(["first"])) == 1


def test_the_index_is_private(tmp_path: Path) -> None:
    """It holds what the journals hold: 0600."""
    index(tmp_path).close()
    assert (tmp_path / "index.sqlite").stat().st_mode & 0o777 == 0o600


def test_two_processes_may_read_the_same_new_journals(tmp_path: Path) -> None:
    """Both find all runs, and none twice."""
    for number in range(300):
        write(tmp_path, f"r{number}", *short(f"r{number}", f"question {number}"))
    code = (
        "import sys; from pathlib import Path; from hds_cli.history.index import RunIndex; from hds_cli.history.store import RunStore\n"
        "f = Path(sys.argv[1]); i = RunIndex(RunStore(f), f / 'index.sqlite'); print(len(i), len(i.search(['question'], 999)))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate()[0] for process in both] == ["300 300\n"] * 3
    assert len(index(tmp_path)) == 300


# --- numbers and versions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    ['"t": 1e400', '"t": -1', '"t": 1e9', f'"t": {10**400}', '"seconds": NaN', '"results": [{"url": "u", "title": "t", "rank": -3}]',
     f'"turn": {2**80}', '"error": {"retry_after": 1e999}'],
)  # fmt: skip
def test_a_number_out_of_its_range_is_damage(wrong: str) -> None:
    """Infinite, negative where something is counted, or larger than any run: the line is left out, nothing is raised."""
    fields = {"t": "1.0", "turn": "1", "query": "1", "source": '"web"', "seconds": "0.5"}
    name, _, value = wrong.partition(": ")
    fields[name.strip('"')] = value
    text = ", ".join(f'"{key}": {item}' for key, item in fields.items())
    record = read(io.BytesIO(f'{{"event": "search_finished", {text}}}\n'.encode()))
    assert (len(record.events), record.damaged) == (0, 1)


def test_events_of_another_version_are_kept_and_skipped(tmp_path: Path) -> None:
    """They are no damage, and printed again byte for byte; what is no event at all is damage."""
    write(tmp_path, "a", *whole_run())
    later = b'{"event": "claim_weighed", "t": 1.5, "turn": 1, "weights": {"a": [0.25]}}\n'
    data = (tmp_path / "a.jsonl").read_bytes() + later
    record = read(io.BytesIO(data))
    assert (list(record.events), record.damaged, record.unknown) == (whole_run(), 0, 1)
    assert b"".join(raw for raw, whole in whole_lines(io.BytesIO(data)) if whole) == data
    for damage in (b'{"event": 5}\n', b'{"event": "Claim Weighed"}\n', b'{"event": "claim_weighed", "t": 1e999}\n'):
        assert read(io.BytesIO(damage)).damaged == 1


def test_no_run_is_called_like_a_word_that_means_one(tmp_path: Path) -> None:
    """`last` is the run that was written to last, whatever files there are."""
    write(tmp_path, "abc", *short("abc", "the real one"))
    (tmp_path / "last.jsonl").write_bytes((tmp_path / "abc.jsonl").read_bytes())
    store = RunStore(tmp_path)
    assert store.ids() == ["abc"]
    assert not RunStore.is_id("last")
    assert store.find("last") == "abc"
