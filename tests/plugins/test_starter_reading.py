"""The starter's selector: short passages of one section, none about another name."""

from __future__ import annotations

from hds_cli.agent.evidence import Budget, Evidence
from hds_cli.types import Page, Passage
from hds_starter.reading import choose, names_in

NORWAY = Page(
    "u1", title="Norway (Factbook)", status="cached",
    text="Norway lies in the north.\n\n## Capital\n\nname: Oslo\n\nIt lies on a fjord.\n\n## Area\n\n| total | 323,802 sq km |\n| land | 304,282 sq km |",
)  # fmt: skip
SWEDEN = Page("u2", title="Sweden", status="cached", text="The capital of Sweden is Stockholm. It borders Norway.")


def read(query: str, *pages: Page, tokens: int = 400, passages: int = 2) -> tuple[Passage, ...]:
    evidence = Evidence("q", lambda text: len(text.split()), choose)
    (chosen,) = evidence.select([(query, pages)], Budget(tokens, passages, 90))
    return chosen


def test_the_passage_that_answers_comes_first() -> None:
    """A page the query names, and a section it names, outweigh the words of others."""
    assert (
        read("capital of Norway", SWEDEN, NORWAY)[0].full
        == "Norway (Factbook): Capital: name: Oslo It lies on a fjord."
    )


def test_a_passage_about_none_of_the_names_is_not_read() -> None:
    """`capital of Wakanda` has no passage in pages on other countries: the adapter then says that nothing was found."""
    assert read("capital of Wakanda", SWEDEN, NORWAY) == ()
    assert [p.title for p in read("Stockholm capital", SWEDEN, NORWAY)] == ["Sweden"]


def test_a_page_with_half_a_name_is_not_read() -> None:
    """`Pico Duarte` is not on a page that knows `Pico` alone; a page with the whole name may shorten it."""
    azores = Page("u4", title="Azores", status="cached", text="The highest point of the Azores is Pico.")
    text = "Pico Duarte is climbed often.\n\n## Height\n\nThe highest point, Pico."
    duarte = Page("u5", title="Hills", status="cached", text=text)
    assert read("highest point Pico Duarte", azores) == ()
    assert {p.title for p in read("highest point Pico Duarte", azores, duarte)} == {"Hills"}
    assert [p.title for p in read("the Azores or Pico Duarte", azores)] == ["Azores"]  # one whole name is enough


def test_names_are_runs_of_capitalised_words() -> None:
    """A question's first word is none, nor is a verb before a name; a lone first word is, as in `Norway population`."""
    assert names_in("Who were the first five astronauts?") == []
    assert names_in("Which countries border Costa Rica or Chad?") == [{"costa", "rica"}, {"chad"}]
    assert names_in("Name the capital of Norway") == [{"norway"}]
    assert names_in("Norway population") == [{"norway"}]
    assert names_in("Costa Rica population") == [{"costa", "rica"}]
    assert names_in("population") == names_in("") == []


def test_a_long_passage_is_cut_to_the_sentences_around_its_best() -> None:
    """A small budget still gets the sentence that matters."""
    filler = " ".join(f"Sentence number {n} says nothing of note." for n in range(12))
    page = Page("u", title="T", status="cached", text=f"{filler} The melting point is 1,085 degrees. {filler}")
    (passage,) = read("melting point", page, tokens=40)
    assert "1,085 degrees" in passage.text
    assert len(passage.text.split()) <= 40


def test_a_section_that_is_all_that_was_asked_for_is_read_from_its_start() -> None:
    """`capital of Cuba` is answered where the section begins, not where its words come up again."""
    text = "## Capital\n\nname: Havana\n\netymology: the capital of Cuba may be named for a group of people. And so on."
    page = Page("u", title="Cuba", status="cached", text=text)
    assert read("capital of Cuba", page, tokens=14)[0].text == "name: Havana"
    assert read("capital of Cuba named for people", page, tokens=27)[0].text.startswith("etymology")
