"""Questions made from pages: one search does not answer them, their gold pages do, and twice is the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hds_cli.agent import protocol
from hds_cli.evaluation.synth import compose, facts, pool, program
from hds_cli.search.collections import open_one
from hds_cli.text import quote_words
from hds_cli.types import Document
from tests.conftest import Hds
from tests.contract.schemas import validate

PAGE = """The capital of Norway is Oslo. The official languages of Norway are Bokmål and Nynorsk.

Norway has an area of 323,802 square kilometres. Norway borders 3 countries: Finland, Sweden and Russia.

- anthem: Ja, vi elsker

| currency | krone |
|---|---|
| calling code | +47 |"""


def _rows(folder: Path, name: str = "questions.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def _solved(row: dict[str, Any], documents: Sequence[Document]) -> str | None:
    """What the row's program comes to over the texts of these pages alone."""
    steps = [program.from_dict(step) for step in row["program"]]
    return program.solve(steps, [facts.read(document.title, document.text) for document in documents])


def test_facts_are_read_off_sentences_lists_and_tables() -> None:
    """Each as attribute and value; a list of names is a relation; a number is one only without a plus."""
    found = facts.read("Norway", PAGE)
    said = {fact.attr: (fact.verb, fact.value) for fact in found.facts}
    assert said["capital"] == ("is", "Oslo")
    assert said["official languages"] == ("are", "Bokmål and Nynorsk")
    assert (said["anthem"], said["currency"], said["calling code"]) == (
        ("is", "Ja, vi elsker"),
        ("is", "krone"),
        ("is", "+47"),
    )
    assert {f.attr for f in found.facts if f.number is not None} == {"area"}
    assert found.relations == (facts.Relation("Norway", "borders", "countries", ("Finland", "Sweden", "Russia")),)


def test_the_oracle_needs_every_page() -> None:
    """With a page missing a step has nothing to stand on; two pages that fit a description settle nothing."""
    pages = [
        facts.read(n, f"The capital of {n} is {n}town. {n} has an area of {a} km.") for n, a in (("A", 5), ("B", 9))
    ]
    find = [program.Step("find", n, turn=1, title=n, attr="capital", verb="is", value=f"{n}town") for n in ("A", "B")]
    steps = [*find, program.Step("largest", "B", of=(0, 1), attr="area")]
    assert program.solve(steps, pages) == "B"
    assert program.solve(steps, pages[:1]) is None
    assert program.from_dict(steps[0].to_dict()) == steps[0]


def test_a_description_never_gives_the_name_away() -> None:
    """`Mexico City` does not describe Mexico, nor `Norwegian` Norway."""
    assert pool.alike("Mexico City", "Mexico")
    assert pool.alike("Norwegian Krone", "Norway")
    assert not pool.alike("Oslo", "Norway")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty questions over `world`, with trajectories, made by the command."""
    import os
    import subprocess

    from tests.conftest import command

    pytest.importorskip("countryinfo")
    folder = tmp_path_factory.mktemp("synth")
    env = {k: v for k, v in os.environ.items() if not k.startswith("HDS_")} | {"HDS_HOME": str(folder / "home")}
    arguments = ["synth", "--collection", "world", "-n", "40", "--seed", "1", "--trajectories", "-o", str(folder / "a")]
    subprocess.run([command(), *arguments], check=True, env=env, stdin=subprocess.DEVNULL, timeout=280)
    return folder


def test_one_search_answers_none_of_them_and_the_gold_pages_all(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged from the texts of the pages: top 5 of the question itself, and the gold pages alone."""
    monkeypatch.setenv("HDS_HOME", str(made / "home"))
    world = open_one("world")
    pages = {document.title: document for document in world.documents()}
    rows = _rows(made / "a")
    assert len(rows) == 40
    assert len({row["type"] for row in rows}) == 4
    for row in rows:
        found = [pages[result.title] for result in world.search(row["question"], 5)]
        assert _solved(row, found) not in row["answers"]
        assert not set(row["supporting_titles"]) <= {document.title for document in found}
        assert _solved(row, [pages[title] for title in row["supporting_titles"]]) in row["answers"]
        said = f" {quote_words(row['question'])} "
        assert not any(f" {quote_words(title)} " in said for title in row["supporting_titles"])


def test_twice_is_byte_for_byte_the_same_and_so_is_going_on(made: Path, hds: Hds) -> None:
    """A second run elsewhere; and one that was stopped after some questions, in the middle of a line."""
    whole = (made / "a" / "questions.jsonl").read_bytes()
    part = made / "b" / "questions.jsonl"
    arguments = ["synth", "--collection", "world", "--seed", "1", "-o", str(made / "b")]
    validate(json.loads(hds(*arguments, "-n", "15", "--json").stdout), "hds.synth/1")
    assert whole.startswith(part.read_bytes())
    with part.open("a") as file:
        file.write('{"id": "torn')
    assert hds(*arguments, "-n", "40", "--trajectories").returncode == 0
    for name in ("questions.jsonl", "corpus.jsonl", "trajectories.jsonl"):
        assert (made / "a" / name).read_bytes() == (made / "b" / name).read_bytes()
    other = hds("synth", "--collection", "world", "--seed", "2", "-n", "40", "-o", str(made / "b"))
    assert other.returncode == 2
    assert "error[synth]" in other.stderr


def test_trajectories_are_in_the_searchers_format(made: Path) -> None:
    """The parser reads the queries back, the box holds the answer, and what was found stands between the markers."""
    questions = {row["id"]: row for row in _rows(made / "a")}
    chats = _rows(made / "a", "trajectories.jsonl")
    assert len(chats) >= 20
    for chat in chats:
        user, assistant = (message["content"] for message in chat["messages"])
        row = questions[chat["id"]]
        assert user.endswith(f"Please answer the question: {row['question']}")
        assert protocol.boxed(assistant) == row["answers"][0]
        first = assistant.split(protocol.END_QUERIES)[0] + protocol.END_QUERIES
        assert protocol.parse_queries(first) == [s["question"] for s in row["program"] if s.get("turn") == 1]
        turns = len({s["turn"] for s in row["program"] if s.get("turn")})
        assert assistant.count(protocol.BEGIN_RESULTS) == assistant.count(protocol.END_RESULTS) == turns
        assert assistant.count(protocol.THINK) == assistant.count(protocol.END_THINK) == turns + 1


def test_the_folder_is_a_question_set(made: Path, hds: Hds, script: Any) -> None:
    """`hds eval` asks what `hds synth` made, over the same pages."""
    model = script("x\n</think>\n\n\\boxed{Oslo}")
    out = hds("eval", str(made / "a"), "-e", "scripted", "-m", model, "--limit", "2", "--json")
    assert json.loads(out.stdout)["n"] == 2


def test_pages_that_give_nothing_are_said(hds: Hds, tmp_path: Path) -> None:
    """Prose without facts: an error, not an empty file or an endless search."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.txt").write_text("Nothing here has any structure at all, it just goes on.")
    assert hds("index", "add", str(notes)).returncode == 0
    out = hds("synth", "--collection", "notes", "-n", "3", "-o", str(tmp_path / "q"))
    assert out.returncode == 2
    assert "no more than 0 questions" in out.stderr


def test_pages_of_key_value_lines_are_enough() -> None:
    """Nothing is known of countries: any pages with facts and numbers make questions."""
    documents = [
        Document(
            str(n),
            f"Engine {chr(65 + n)}x",
            f"code: ZK{n}Q{n}\n\n- maker: Firm{n}{n}\n\n- power: {100 * (n + 1)} kW",
            f"local://e/{n}",
        )
        for n in range(12)
    ]
    found = pool.make(documents)
    assert (found.numbers, found.noun, found.relations) == (("power",), "entry", ())
    import random

    drafts = [d for n in range(60) if (d := compose.compose(found, random.Random(n)))]
    assert drafts
    assert all(program.solve(d.program, [found.pages[t] for t in d.gold]) == d.answer for d in drafts)


def test_pages_read_before_are_enough(hds: Hds, home: Path, tmp_path: Path) -> None:
    """`--collection cache`: the pages of earlier runs, key and value in them, become questions."""
    from hds_cli.config import Settings
    from hds_cli.fetch.cache import PageCache
    from hds_cli.types import Page

    cache = PageCache.of(Settings())
    for n in range(12):
        text = f"- code: ZK{n}Q{n}\n- maker: Firm{n}{n}\n- place: Town{n}{n}{n}\n- power: {100 * (n + 1)} kW"
        cache.put(
            Page(f"https://x.example/{n}", title=f"Engine {chr(65 + n)}x", text=text, fetched_at="2026-01-01T00:00:00Z")
        )
    cache.close()
    out = hds("synth", "--collection", "cache", "-n", "3", "--seed", "4", "--top-k", "2", "-o", str(tmp_path / "q"))
    assert out.returncode == 0, out.stderr
    rows = _rows(tmp_path / "q")
    assert {row["type"].split("-")[-1] for row in rows} == {"comparison"}
    assert all(title.startswith("Engine ") for row in rows for title in row["supporting_titles"])
