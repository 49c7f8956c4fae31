"""Pages to passages: chosen for a whole turn, numbered, without repeats, within the budget."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hds_cli.agent.evidence import Budget, Evidence, turn_budget
from hds_cli.agent.ranked import ranked
from hds_cli.agent.selectors.base import Reading
from hds_cli.agent.selectors.door import asked, selector
from hds_cli.plugins import PluginError
from hds_cli.text import quote_words
from hds_cli.types import Page, Passage

CURIE = Page(
    "https://a.example/curie", title="Marie Curie", status="cached", date="2021-03-04",
    text="Marie Curie was a physicist and chemist.\n\n## Birth\n\nShe was born in Warsaw in 1867.\n\n## Prizes\n\n"
    "| year | prize |\n|---|---|\n| 1903 | physics |\n| 1911 | chemistry |",
)  # fmt: skip
NOETHER = Page(
    "https://b.example/noether", title="Emmy Noether", status="cached",
    text="Emmy Noether was a mathematician. She was born in Erlangen in 1882.",
)  # fmt: skip
ROOM = Budget(6000)


def words(text: str) -> int:
    return len(text.split())


def read(query: str, *pages: Page, budget: Budget = ROOM, question: str = "q") -> tuple[Passage, ...]:
    (chosen,) = Evidence(question, words).select([(query, pages)], budget)
    return chosen


def long_page(url: str, title: str, parts: int, about: str = "") -> Page:
    """A page of `parts` passages of about 200 words; the middle one has the words `about`."""
    blocks = []
    for part in range(parts):
        filler = [f"Item{url}x{part}x{n} is of box{url}y{part}y{n} and shelf{part}z{n} of a store." for n in range(18)]
        if part == parts // 2:
            filler[9] = about or filler[9]
        blocks.append(f"## Chapter {part}\n\n" + " ".join(filler))
    return Page(url, title=title, status="cached", text="\n\n".join(blocks))


def test_the_page_that_the_query_names_comes_first() -> None:
    """A page that is named by its title outweighs the words of another."""
    passages = read("where was Marie Curie born", NOETHER, CURIE)
    assert passages[0].title == "Marie Curie"
    assert "Warsaw" in passages[0].text
    assert passages[0].date == "2021-03-04"


@pytest.mark.parametrize("query", ["Marie Curie Born", "MARIE CURIE BORN 1867", "marie curie born", "born Marie Curie"])
def test_how_a_query_is_capitalised_changes_nothing(query: str) -> None:
    """A capital letter makes no name."""
    assert read(query, CURIE, NOETHER)[0].url == CURIE.url
    assert {p.url for p in read(query, CURIE, NOETHER)} == {CURIE.url, NOETHER.url}


@pytest.mark.parametrize("query", ["Wakanda capital", "Einwohner Kelmar", "xyzzy"])
def test_a_missing_name_empties_no_page(query: str) -> None:
    """The source that ranked a page may know more than its words."""
    page = Page("u", title="Port of Kelmar", status="cached", text="The capital lies inland. 12,345 people live there.")
    assert read(query, page, NOETHER)[0].url == "u"


@pytest.mark.parametrize(
    ("query", "title"),
    [("NYC population", "New York City"), ("height of Mt Elgon", "Mount Elgon"), ("uk area", "United Kingdom")],
)
def test_initials_and_other_spellings_name_a_page(query: str, title: str) -> None:
    """`NYC` is New York City, and `Mt` is Mount."""
    named = Page("n", title=title, status="cached", text="Population, height and area are told in a table.")
    other = Page("o", title="Lists", status="cached", text="Population, height and area are told in a table below.")
    assert read(query, other, named)[0].url == "n"


def test_chinese_questions_read_the_page_that_was_found() -> None:
    """Words without blanks between them are compared by their letters."""
    page = Page("u", title="凯尔马港", status="cached", text="凯尔马港位于北海。\n\n市长是李明。全市人口12345人。")
    assert "李明" in read("凯尔马港 市长", NOETHER, page)[0].text
    assert "李明" in read("市", NOETHER, page)[0].text


def test_room_is_used() -> None:
    """With room, the best passage, how its page begins, what stands beside it, and something of every page."""
    main = long_page("m", "Harbour", 9, "The crane of quay seven lifts forty tonnes.")
    others = [long_page(f"o{n}", f"Report {n}", 4) for n in range(3)]
    passages = read("crane of quay seven", main, *others, budget=Budget(20_000))
    assert "forty tonnes" in passages[0].text
    assert len(passages) == 12
    of_main = [p.heading for p in passages if p.url == "m"]
    assert len(of_main) <= 6
    assert {"Chapter 0", "Chapter 3", "Chapter 4", "Chapter 5"} <= set(of_main)
    assert {p.url for p in passages} == {"m", "o0", "o1", "o2"}


def test_where_room_is_short_only_the_best_is_read() -> None:
    """Passages far below the best are left out then."""
    main = long_page("m", "Harbour", 5, "The crane of quay seven lifts forty tonnes.")
    passages = read("crane of quay seven", main, long_page("o", "Report", 5), budget=Budget(400))
    assert len(passages) == 1
    assert "forty tonnes" in passages[0].text


def test_a_long_passage_is_cut_to_the_sentences_around_its_best() -> None:
    """A small budget still gets the sentence that matters."""
    filler = " ".join(f"Sentence number {n} says nothing of note." for n in range(12))
    page = Page("u", title="Copper", status="cached", text=f"{filler} The melting point is 1,085 degrees. {filler}")
    (passage,) = read("melting point", page, budget=Budget(40))
    assert "1,085 degrees" in passage.text
    assert words(passage.text) <= 40


def test_a_passage_keeps_its_number_and_costs_no_slot_again() -> None:
    """What was read in an earlier turn is named again beside what is new."""
    page = long_page("m", "Harbour", 6, "The crane of quay seven lifts forty tonnes.")
    evidence = Evidence("q", words)
    (first,) = evidence.select([("crane of quay seven", [page])], Budget(6000, 2))
    (again,) = evidence.select([("quay seven crane", [page])], Budget(6000, 2))
    assert [p.n for p in first] == [1, 2]
    assert [p.n for p in again] == [1, 2, 3, 4]


def test_a_passage_that_two_queries_want_is_read_once() -> None:
    """The second one names it."""
    one, two = Evidence("q", words).select([("Emmy Noether born", [NOETHER]), ("Noether 1882", [NOETHER])], ROOM)
    assert [p.n for p in one] == [p.n for p in two] == [1]


def test_alike_passages_are_read_once() -> None:
    """Two hosts with the same text cost the budget once."""
    copy = Page("u3", title="Emmy Noether", status="cached", text=NOETHER.text)
    assert len(read("Noether born", NOETHER, copy)) == 1


def test_what_one_query_leaves_another_uses() -> None:
    """Shares are equal at first, and nothing is left over while there is more to read."""
    page = long_page("m", "Harbour", 14, "The crane of quay seven lifts forty tonnes.")
    one, two = Evidence("q", words).select([("crane of quay seven", [page]), ("Noether", [NOETHER])], Budget(2200))
    assert len(two) == 1
    assert 1600 < sum(words(p.text) for p in one) <= 2200


@given(st.integers(0, 300), st.integers(1, 6), st.lists(st.text("ab c.\n#|漢", max_size=400), max_size=4))
def test_the_budget_is_never_exceeded(tokens: int, queries: int, texts: list[str]) -> None:
    """Whatever the pages hold."""
    pages = [Page(f"u{i}", title="t", text=text, status="cached") for i, text in enumerate(texts)]
    chosen = Evidence("a b", words).select([(f"a {n} c", pages) for n in range(queries)], Budget(tokens))
    new = {p.n: p for passages in chosen for p in passages}
    assert sum(words(p.text) for p in new.values()) <= tokens


def test_a_turn_gets_its_share_of_the_room() -> None:
    """A quarter of what is left, all of it in the last turn, an eighth of the context at least; never over the limit."""
    assert turn_budget(32768, 28000).tokens == 7000
    assert turn_budget(32768, 8000).tokens == 4096
    assert turn_budget(32768, 8000, turns_left=1).tokens == 8000
    assert turn_budget(32768, 2000).tokens == 2000
    assert turn_budget(4096, -5).tokens == 0
    assert turn_budget(32768, 28000, most=448).tokens == 448


def test_a_page_of_megabytes_is_read_where_the_words_are() -> None:
    """What stands after the first 400,000 characters is found as well."""
    filler = "\n".join(f"row {n} of the ledger has nothing in it" for n in range(60_000))
    page = Page("u", title="Ledger", status="cached", text=f"{filler}\nthe brig Annabel sank in 1871\n{filler}")
    assert len(page.text) > 4_000_000
    assert "Annabel" in read("brig Annabel", page)[0].text


def test_every_passage_stands_in_its_page() -> None:
    """A selector's inventions, passages of other pages and other addresses are left out."""

    def choose(question: str, readings: list[Reading], budget: Budget) -> list[list[Passage]]:
        said = ["| 1903 | physics |", "1903: physics", "1903 chemistry", ""]
        return [[Passage(page.url, "", text) for text in said for page in (CURIE, NOETHER)] for _ in readings]

    (kept,) = asked(choose, "q", [Reading("prizes", [CURIE])], ROOM)
    assert [(p.title, p.text) for p in kept] == [
        ("Marie Curie", "| 1903 | physics |"),
        ("Marie Curie", "1903: physics"),
    ]


@pytest.mark.parametrize("answer", [[], [[], []], [["text"]], None])
def test_a_selector_that_answers_with_something_else_is_an_error(answer: object) -> None:
    """Another way of choosing is never put in its place."""
    with pytest.raises(PluginError, match="the selector failed"):
        asked(lambda *_: answer, "q", [Reading("prizes", [CURIE])], ROOM)  # type: ignore[arg-type, return-value]


def test_the_selector_of_hds_is_called_as_any_other() -> None:
    """By its name, with the question, the readings and the budget."""
    (passages,) = selector("bm25")("q", [Reading("Noether", [NOETHER])], ROOM)
    assert [p.text for p in passages] == [NOETHER.text]


def test_quotes_are_compared_by_their_words() -> None:
    """Markup, dashes, quotes and line breaks do not matter; words do."""
    assert quote_words("| total |  323,802 sq\nkm |") == quote_words("total: 323,802 sq km")
    assert quote_words("“Größe” — über") == quote_words('"größe" - ÜBER')
    assert quote_words("a b") != quote_words("ab")


def test_a_choice_that_is_late_is_made_of_what_was_looked_at() -> None:
    """Once the run does not wait any more, the pages that were not looked at yet are left out, and nothing fails."""
    pages = [long_page(f"http://x/{n}", f"Lighthouse {n}", 40, "lighthouse") for n in range(6)]
    asked_for = 0

    def late() -> bool:
        nonlocal asked_for
        asked_for += 1
        return asked_for > 10

    budget = Budget(4000, 12, 50, words, late=late)
    (chosen,) = Evidence("lighthouse", words).select([("lighthouse", pages)], budget)
    assert {passage.url for passage in chosen} == {"http://x/0"}
    assert asked_for < 60
    (chosen,) = Evidence("lighthouse", words).select([("lighthouse", pages)], Budget(4000, 12, 50, words))
    assert len({passage.url for passage in chosen}) > 1


def test_a_question_counts_by_its_beginning_and_its_end() -> None:
    """A pasted text before the question does not hide it."""
    pages = [long_page("http://x/1", "Tides", 3), long_page("http://x/2", "Harbour seals", 3, "harbour seals")]
    asked_at_the_end = "lorem ipsum " * 3000 + " where do harbour seals live?"
    chosen = read(asked_at_the_end, *pages, question=asked_at_the_end)
    assert chosen[0].url == "http://x/2"


NAMED = [f"Iron ore port of town {letter}" for letter in "abcdefghij"]
CONTENTS = "## Contents\n\n" + "".join(f"- {n} {name} ... {n}\n" for n, name in enumerate(NAMED, 1))
SECTIONS = "\n".join(f"## {name}\n\n{'Ore of Kiruna is shipped from this iron ore port. ' * 6}\n" for name in NAMED)
LISTED = "## Ports\n\n" + "".join(f"- {name}\n" for name in NAMED) + "\n"


def test_headings_and_contents_are_no_results_where_a_sentence_is() -> None:
    """They hold every word of a query and say nothing; a list of a page's own is no table of contents."""
    names = "".join(f"## Iron ore port {n}\n\n" for n in range(9))
    pages = [
        Page("m:h", title="Iron ore ports", text=names),
        Page("m:c", title="Narvik", text=CONTENTS + SECTIONS + LISTED),
    ]
    texts = [one.cut.text for one in ranked("iron ore port", "Which iron ore port?", pages, 60)]
    assert not [text for text in texts if "port 3" in text or "... 5" in text]
    assert [text for text in texts if "- Iron ore port of town a\n" in text]
    alone = ranked("iron ore port", "Which iron ore port?", pages[:1], 60)
    assert "Iron ore port 3" in alone[0].cut.text  # nothing better was found


def test_many_headings_are_looked_through_in_time() -> None:
    """A hostile page of headings alone, of dots, and of a table of contents that never ends."""
    for text in ("# a\n\n" * 80_000, "# " + "." * 400_000, "## Contents\n" + "- a ....\n" * 40_000, "#" * 400_000):
        began = time.monotonic()
        ranked("a", "a", [Page("m:h", title="A", text=text)], 250)
        assert time.monotonic() - began < 20
