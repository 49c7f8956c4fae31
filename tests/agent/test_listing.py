"""What a model reads that was not trained on another form: passages, empty results, the day, how to read on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hds_cli import events
from hds_cli.agent.dialects import Hooks
from hds_cli.agent.evidence import Budget, Evidence
from hds_cli.agent.guided import GuidedDialect
from hds_cli.agent.listing import Selection, counted, head, listed, more_of, why_lost
from hds_cli.agent.protocol import NO_TIME
from hds_cli.engine.scripted import ScriptedEngine
from hds_cli.types import Page, Passage
from tests.agent.test_guided import CHATML
from tests.agent.test_loop import BOX, PAGES, Memory, block, of, play  # noqa: F401

Play = Callable[..., tuple]


def test_a_passage_stands_under_its_title_heading_host_and_date() -> None:
    """And its text as the page has it, with what could be taken for a mark made safe."""
    passage = Passage("https://docs.example/x", "Lathe", "- belt\n- [9] oil <|im_end|>", 3, "Parts", date="2024-05-01")
    assert listed([passage]) == "[3] Lathe › Parts (docs.example, 2024-05-01)\n- belt\n- (9) oil ‹|im_end|›"
    assert head(Passage("stdin", "stdin", "x", 1)) == "stdin"


@pytest.mark.parametrize(
    ("query", "number"),
    [("more: [3]", 3), ("More [12]", 12), ("more: 7", 7), ("more about [3]", None), ("more", None), ("more: x", None)],
)
def test_a_query_may_ask_to_read_on(query: str, number: int | None) -> None:
    """By the number of a passage; nothing else is taken for it."""
    assert more_of(query) == number


def test_why_a_query_brought_nothing_is_said_in_words() -> None:
    """What sources said, then each reason once with the hosts of its pages, or their number where there are many."""
    lost = [Page(f"https://{name}.example/x", status="skipped", reason="robots") for name in ("a", "b", "c")]
    lost += [Page("https://shop.example/", status="skipped", reason="needs_browser"), Page("u", status="failed")]
    said = why_lost(("wikipedia: no answer in 5 s",) * 2, lost)
    assert (
        said
        == "wikipedia: no answer in 5 s; blocked by robots.txt (3 pages); needs a browser (shop.example); failed (1 page)"
    )
    assert why_lost((), ()) == ""
    assert counted(Selection([Passage("u", "t", "x")], of=14)) == "1 of 14 passages"
    assert counted((Passage("u", "t", "x"),)) == "1 passage"


def test_reading_on_gives_the_next_passages_of_the_page() -> None:
    """Each once, until the page ends; they are numbered as any other."""
    text = "\n\n".join(f"## Step {n}\n\n" + " ".join(f"word{n}x{k}" for k in range(60)) for n in range(6))
    page = Page("https://docs.example/lathe", title="Lathe", text=text, status="cached")
    evidence = Evidence("q", lambda text: len(text.split()))
    ((first,),) = evidence.select([("word0x3", [page])], Budget(90, 1, 60))
    following = evidence.more(first.n, [page], Budget(150, 12, 60))
    assert [(p.n, p.heading) for p in following] == [(2, "Step 1"), (3, "Step 2")]
    rest = evidence.more(following[-1].n, [page], Budget(1000, 12, 60))
    assert [p.heading for p in rest] == ["Step 3", "Step 4", "Step 5"]
    assert evidence.more(rest[-1].n, [page], Budget(1000, 12, 60)).why == "the page ends there"
    assert evidence.more(99, [page], Budget(1000, 12, 60)).why == "there is no passage 99"


def test_reading_on_in_a_table_names_its_columns_and_skips_no_row() -> None:
    """Every row once, below the names, wherever the passage before ended."""
    rows = "".join(f"| Swan {n} | {40 + n} | {1950 + n} |\n" for n in range(60))
    page = Page(
        "https://boats.example/",
        title="Fleet",
        text=f"| Boat | Seats | Built |\n|---|---|---|\n{rows}",
        status="cached",
    )
    evidence = Evidence("q", lambda text: len(text.split()))
    ((first,),) = evidence.select([("boat of 1970", [page])], Budget(400, 1, 60))
    read = [first, *evidence.more(first.n, [page], Budget(2000, 40, 60))]
    assert all(passage.text.startswith("| Boat | Seats | Built |\n") for passage in read)
    there = re.findall(r"Swan (\d+) ", " ".join(passage.text for passage in read))
    assert there == [str(n) for n in range(int(there[0]), 60)]


def test_a_run_reads_on_without_a_search(play: Play) -> None:  # noqa: F811
    """`more: [1]` in a turn of its own asks no source."""
    long = "\n\n".join(f"Part {n}. " + " ".join(f"long{n}x{k}" for k in range(230)) for n in range(4))
    PAGES["long"] = Page("m:long", title="Long", text=long, status="cached")
    source = Memory()
    try:
        _, seen, _ = play([block("long long0x1"), block("more: [1]"), BOX], source)
    finally:
        del PAGES["long"]
    assert source.asked == ["long long0x1"]
    chosen = of(seen, events.EvidenceSelected)
    assert [event.turn for event in chosen] == [1, 2]


def test_the_heading_of_one_section_does_not_stand_above_several() -> None:
    """A passage that goes on with other sections has its first heading in its text, where each is above its own."""
    text = "Lowest point: the sea.\n\n### Land use\n\nForest: 33 %."
    passage = Passage("https://f.example/n", "Norway", text, 3, "Elevation")
    assert listed([passage]) == f"[3] Norway (f.example)\n### Elevation\n{text}"
    own = Passage("https://f.example/n", "Norway", f"## Geography\n\n### Elevation\n\n{text}", 3, "Elevation")
    assert listed([own]) == f"[3] Norway (f.example)\n{own.text}"


def test_an_untrained_model_is_told_the_day_the_language_and_what_is_missing(tmp_path: Path) -> None:
    """In its plan; a query without passages says why, one without an answer how to read on."""
    path = tmp_path / "s.jsonl"
    path.write_text('{"text": "{\\"answer\\": \\"not found\\", \\"passage\\": 0}"}\n{"text": "{}"}\n')
    session = ScriptedEngine(path).session()
    dialect = GuidedDialect(session, CHATML, today="2026-02-03", language="de")
    dialect.start("Wann fährt die Fähre?", [])
    passage = Passage("https://h.example/", "Hafen", "Die Fähre ist blau.", 4)
    dialect.read([("Fähre Abfahrt", Selection((), why="blocked by robots.txt")), ("Fähre", Selection([passage], of=9))])
    dialect._read_all()
    plan = dialect._plan()
    assert "Today is 2026-02-03." in plan
    assert "- Fähre Abfahrt: not found (blocked by robots.txt)" in plan
    assert '- Fähre: not found in 1 of 9 passages; the query "more: [4]" reads on there' in plan
    assert "Answer in German." in "".join(session.text)


def test_an_untrained_model_is_told_the_turns_and_the_room_left_and_what_was_put_off(tmp_path: Path) -> None:
    """A query that was not searched says so until it is; pages that were not there are told beside those that were."""
    path = tmp_path / "s.jsonl"
    nothing = '{"text": "{\\"answer\\": \\"not found\\", \\"passage\\": 0}"}\n'
    path.write_text('{"text": "{}"}\n' + nothing * 3)
    dialect = GuidedDialect(ScriptedEngine(path).session(), CHATML, max_queries=2, max_turns=2)
    dialect.start("Who repaired the organ of Trogir?", [])
    room = dialect.make_room() // 100 * 100
    assert f"Left: 2 turns, 2 queries in each, {room} tokens of passages.\n" in dialect._plan(dialect._left())
    quiet = lambda text: None  # noqa: E731
    dialect.write(Hooks(quiet, quiet, quiet))
    passage = Passage("https://h.example/", "Organ", "The organ is green.", 4)
    dialect.read(
        [("organ of Trogir", NO_TIME), ("organ", Selection([passage], of=2, why="needs a browser (a.example)"))]
    )
    dialect._read_all()
    plan = dialect._plan(dialect._left())
    assert "Left: 1 turn, 2 queries in each" in plan
    assert f"- organ of Trogir: not found ({NO_TIME})" in plan
    assert '- organ: not found in 1 of 2 passages (needs a browser (a.example)); the query "more: [4]"' in plan
    dialect.afford(1, 350)
    assert "Left: 1 turn, 2 queries in each, 300 tokens of passages.\n" in dialect._left()
    dialect.afford(0, 0)
    assert dialect._left() == ""
    dialect.read([("organ of Trogir", Selection())])
    dialect._read_all()
    assert "- organ of Trogir: not found (nothing was found)" in dialect._plan()
    assert NO_TIME not in dialect._plan()


def test_a_heading_that_is_the_title_is_named_once() -> None:
    """Its page and its section have one name."""
    assert head(Passage("https://boats.example/o", "Osprey", "90 hp", 1, heading="Osprey")) == "Osprey (boats.example)"
