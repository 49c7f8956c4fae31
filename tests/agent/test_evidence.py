"""Pages to passages: ranked, without repeats, within the budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hds_cli.agent.evidence import Budget, Evidence, turn_budget
from hds_cli.text import cut_passages, names_in, quote_words, sentences
from hds_cli.types import Page

NORWAY = Page(
    "u1", title="Norway (Factbook)", status="cached",
    text="Norway lies in the north.\n\n## Capital\n\nname: Oslo\n\nIt lies on a fjord.\n\n## Area\n\n| total | 323,802 sq km |\n| land | 304,282 sq km |",
)  # fmt: skip
SWEDEN = Page("u2", title="Sweden", status="cached", text="The capital of Sweden is Stockholm. It borders Norway.")


def words(text: str) -> int:
    return len(text.split())


def test_the_passage_that_answers_comes_first() -> None:
    """A page the query names, and a section it names, outweigh the words of others."""
    (found,) = Evidence("q", words).select([("capital of Norway", [SWEDEN, NORWAY])], Budget(400))
    assert found[0].full == "Norway (Factbook): Capital: name: Oslo It lies on a fjord."


def test_table_rows_are_statements_of_their_own() -> None:
    """So that one row can be quoted."""
    cuts = [cut.sentences for cut in cut_passages(NORWAY.text)]
    assert ("total: 323,802 sq km", "land: 304,282 sq km") in cuts


def test_a_passage_keeps_its_number() -> None:
    """The same passage found again, in a later turn, is the same source."""
    evidence = Evidence("q", words)
    (first,) = evidence.select([("capital of Norway", [NORWAY])], Budget(400, 1))
    (again,) = evidence.select([("Norway capital", [NORWAY])], Budget(400, 1))
    assert [p.n for p in first] == [p.n for p in again] == [1]


def test_alike_passages_are_read_once() -> None:
    """Two hosts with the same text cost the budget once."""
    copy = Page("u3", title="Sweden", status="cached", text=SWEDEN.text)
    (found,) = Evidence("q", words).select([("capital of Sweden", [SWEDEN, copy])], Budget(400))
    assert len(found) == 1


@given(st.integers(0, 300), st.integers(1, 6), st.lists(st.text("ab c.\n#|", max_size=400), max_size=4))
def test_the_budget_is_never_exceeded(tokens: int, queries: int, texts: list[str]) -> None:
    """Whatever the pages hold."""
    pages = [Page(f"u{i}", title="t", text=text, status="cached") for i, text in enumerate(texts)]
    found = Evidence("a b", words).select([(f"a {n} c", pages) for n in range(queries)], Budget(tokens))
    assert sum(words(p.text) for passages in found for p in passages) <= tokens


def test_a_long_passage_is_cut_to_the_sentences_around_its_best() -> None:
    """A small budget still gets the sentence that matters."""
    filler = " ".join(f"Sentence number {n} says nothing of note." for n in range(12))
    page = Page("u", title="T", status="cached", text=f"{filler} The melting point is 1,085 degrees. {filler}")
    (found,) = Evidence("q", words).select([("melting point", [page])], Budget(40))
    assert "1,085 degrees" in found[0].text
    assert words(found[0].text) <= 40


def test_the_turn_budget_leaves_room_for_the_answer() -> None:
    """A quarter of the context, never what the answer needs."""
    assert turn_budget(4096, 3072).tokens == 1024
    assert turn_budget(4096, 72).tokens == 72
    assert turn_budget(4096, -5).tokens == 0
    assert turn_budget(4096, 3072, most=448).tokens == 448


def test_a_passage_about_none_of_the_names_is_not_read() -> None:
    """`capital of Wakanda` has no passage in pages on other countries."""
    (found,) = Evidence("q", words).select([("capital of Wakanda", [SWEDEN, NORWAY])], Budget(400))
    assert found == ()
    (found,) = Evidence("q", words).select([("Stockholm capital", [SWEDEN, NORWAY])], Budget(400))
    assert [p.title for p in found] == ["Sweden"]


def test_a_page_with_half_a_name_is_not_read() -> None:
    """`Pico Duarte` is not on a page that knows `Pico` alone; a page with the whole name may shorten it."""
    azores = Page("u4", title="Azores", status="cached", text="The highest point of the Azores is Pico.")
    duarte = Page(
        "u5",
        title="Hills",
        status="cached",
        text="Pico Duarte is climbed often.\n\n## Height\n\nThe highest point, Pico.",
    )
    (found,) = Evidence("q", words).select([("highest point Pico Duarte", [azores])], Budget(400))
    assert found == ()
    (found,) = Evidence("q", words).select([("highest point Pico Duarte", [azores, duarte])], Budget(400))
    assert {p.title for p in found} == {"Hills"}
    (found,) = Evidence("q", words).select([("the Azores or Pico Duarte", [azores])], Budget(400))
    assert [p.title for p in found] == ["Azores"]  # one whole name of several is enough


def test_names_are_runs_of_capitalised_words() -> None:
    """A question's first word is none, nor is a verb before a name; a lone first word is, as in `Norway population`."""
    assert names_in("Who were the first five astronauts?") == []
    assert names_in("Which countries border Costa Rica or Chad?") == [{"costa", "rica"}, {"chad"}]
    assert names_in("Name the capital of Norway") == [{"norway"}]
    assert names_in("Norway population") == [{"norway"}]
    assert names_in("Costa Rica population") == [{"costa", "rica"}]
    assert names_in("population") == names_in("") == []


def test_abbreviations_do_not_end_sentences() -> None:
    """`St. John's` is one name."""
    assert sentences("He went to St. John's. It rained.") == ["He went to St. John's.", "It rained."]
    assert sentences("Dr. A. B. Smith came (est. 1990). Then he left!") == [
        "Dr. A. B. Smith came (est. 1990).",
        "Then he left!",
    ]


def test_quotes_are_compared_by_their_words() -> None:
    """Markup, dashes, quotes and line breaks do not matter; words do."""
    assert quote_words("| total |  323,802 sq\nkm |") == quote_words("total: 323,802 sq km")
    assert quote_words("“Größe” — über") == quote_words('"größe" - ÜBER')
    assert quote_words("a b") != quote_words("ab")


def test_a_section_that_is_all_that_was_asked_for_is_read_from_its_start() -> None:
    """`capital of Cuba` is answered where the section begins, not where its words come up again."""
    text = "## Capital\n\nname: Havana\n\netymology: the capital of Cuba may be named for a group of people. And so on."
    page = Page("u", title="Cuba", status="cached", text=text)
    (found,) = Evidence("q", words).select([("capital of Cuba", [page])], Budget(14, 1))
    assert found[0].text == "name: Havana"
    (found,) = Evidence("q", words).select([("capital of Cuba named for people", [page])], Budget(27, 1))
    assert found[0].text.startswith("etymology")
