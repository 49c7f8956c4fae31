"""Every number resolves to a page and a quote that stands in it."""

from __future__ import annotations

from hds_cli.types import Page, Passage
from hds_starter.grounds import answer_items, support

NORWAY = Page(
    "u1", "u1", "Norway", "## Facts\n\nThe capital of Norway is Oslo. It lies on a fjord.\n\n| area | 323,802 sq km |"
)
SWEDEN = Page("u2", "u2", "Sweden", "The capital of Sweden is Stockholm.")
PAGES = {"u1": NORWAY, "u2": SWEDEN}
READ = [
    ("capital of Norway", Passage("u1", "Norway", "The capital of Norway is Oslo. It lies on a fjord.", 1, "Facts")),
    ("capital of Sweden", Passage("u2", "Sweden", "The capital of Sweden is Stockholm.", 2)),
    ("area of Norway", Passage("u1", "Norway", "area: 323,802 sq km", 3)),
]


def _support(answer: str, explanation: str = "", read: list[tuple[str, Passage]] = READ):
    return support(answer, explanation, "What are the capitals of Norway and Sweden?", read, PAGES.get)


def test_items_the_model_did_not_cite_are_looked_for() -> None:
    """The searcher names no sources: each item of its answer is found in what it read."""
    found = _support("Oslo and Stockholm")
    assert [(c.n, c.quote, c.verified) for c in found.citations] == [
        (1, "The capital of Norway is Oslo.", True),
        (2, "The capital of Sweden is Stockholm.", True),
    ]
    assert found.supported
    assert found.unsupported == ()


def test_a_named_passage_is_quoted_by_the_sentence_that_says_it() -> None:
    """`[1]` leads to the sentence of passage 1 that holds the claim."""
    found = _support("Oslo", "The capital of Norway is Oslo [1].")
    assert [(c.n, c.quote) for c in found.citations] == [(1, "The capital of Norway is Oslo.")]


def test_a_passage_that_does_not_say_the_claim_is_not_cited() -> None:
    """A number the model got wrong is replaced by the passage that does say it."""
    found = _support("Oslo", "The capital of Norway is Oslo [2].")
    assert [c.n for c in found.citations] == [1]


def test_an_item_no_page_holds_is_named() -> None:
    """What is made up is not covered by what is true beside it."""
    found = _support("Oslo and Atlantis City")
    assert found.supported
    assert found.unsupported == ("Atlantis City",)


def test_an_answer_no_page_holds_is_not_supported() -> None:
    """No passage, no citation."""
    found = _support("Lisbon")
    assert not found.supported
    assert found.unsupported == ("Lisbon",)


def test_a_name_no_page_holds_is_not_supported_by_a_number_beside_it() -> None:
    """A misspelt name is not covered by a citation of the right page; a computed number is."""
    assert not _support("Oslow", "The capital of Norway is Oslow [1].").supported
    found = _support("647,604", "The area of Norway is 323,802 sq km [3]. Twice that is 647,604.")
    assert found.supported
    assert found.unsupported == ()


def test_a_longer_answer_may_put_it_differently() -> None:
    """Nearly all of its words in one passage will do."""
    assert _support("Norway's capital Oslo lies on the fjord").supported


def test_a_table_row_is_a_quote_however_it_is_written() -> None:
    """Bars and markup of the stored page do not keep a quote from being found in it."""
    found = _support("323,802 sq km")
    assert [(c.n, c.verified) for c in found.citations] == [(3, True)]


def test_a_quote_that_is_not_in_the_stored_page_is_not_verified() -> None:
    """A passage that differs from its page is shown as unverified and supports nothing."""
    forged = [("q", Passage("u2", "Sweden", "The capital of Sweden is Paris.", 1))]
    found = _support("Paris", read=forged)
    assert [c.verified for c in found.citations] == [False]
    assert not found.supported


def test_an_answer_a_passage_holds_whole_is_one_item() -> None:
    """`Trinidad and Tobago` is not taken apart when a page has it so."""
    passage = Passage("u", "T", "They won in Trinidad and Tobago, it is said.", 1)
    assert answer_items("Trinidad and Tobago", [passage]) == ["Trinidad and Tobago"]
    assert answer_items("Oslo, Bergen and Bodø", [passage]) == ["Oslo", "Bergen", "Bodø"]
    assert answer_items("5,156,450", []) == ["5,156,450"]


def test_a_part_that_says_what_it_is_of_is_looked_for_as_both() -> None:
    """`Norway: Oslo` stands in no page so; the page on Norway has both words, and the quote has the value."""
    found = _support("Norway: Oslo; Sweden: Stockholm", "Norway: Oslo [1]. Sweden: Stockholm [2].")
    assert found.supported
    assert found.unsupported == ()
    assert [(c.n, c.quote) for c in found.citations] == [
        (1, "The capital of Norway is Oslo."),
        (2, "The capital of Sweden is Stockholm."),
    ]
    assert _support("Norway: Oslo; Sweden: Stockholm").unsupported == ()


def test_a_value_under_another_label_is_not_supported() -> None:
    """Both words stand in the pages, but in no one passage together."""
    found = _support("Norway: Stockholm; Sweden: Oslo", "Norway: Stockholm [2]. Sweden: Oslo [1].")
    assert found.unsupported == ("Norway: Stockholm", "Sweden: Oslo")
    assert not found.supported


def test_a_label_is_not_taken_apart() -> None:
    """Names with `and`, bullets, several values of one label."""
    assert answer_items("Trinidad and Tobago: Port of Spain", []) == ["Trinidad and Tobago: Port of Spain"]
    assert answer_items("- Norway: Oslo, Bergen\n- Sweden: Lund", []) == [
        "Norway: Oslo",
        "Norway: Bergen",
        "Sweden: Lund",
    ]


def test_a_claim_on_something_else_than_its_passage_is_not_supported() -> None:
    """The page on Sweden holds Stockholm, but not of Denmark; nor is the value then looked for elsewhere."""
    found = _support("Stockholm", "The capital of Denmark is Stockholm [2].")
    assert (found.supported, found.unsupported, found.citations) == (False, ("Stockholm",), ())
    assert _support("Stockholm", "The capital of Sweden is Stockholm [2].").supported
    assert _support("Stockholm", "Its capital is Stockholm [2].").supported


def test_one_good_claim_of_an_item_is_enough() -> None:
    """A second sentence that names the wrong page does not take the first away."""
    said = "The capital of Sweden is Stockholm [2]. The capital of Denmark is Stockholm [1]."
    assert _support("Stockholm", said).supported


def test_a_choice_made_from_claims_without_a_ground_has_none() -> None:
    """The area is Norway's: an ordering of Denmark by it is not supported, though a page names Denmark."""
    read = [("area of Denmark", Passage("u1", "Norway", "area: 323,802 sq km. Denmark lies south of it.", 1))]
    pages = {
        "u1": Page(
            "u1", "u1", "Norway", f"{'Mountains and fjords. ' * 20}area: 323,802 sq km. Denmark lies south of it."
        )
    }

    def judged(explanation: str, answer: str) -> bool:
        return support(answer, explanation, "Which is larger?", read, pages.get).supported

    assert not judged("Denmark: 323,802 sq km [1]. Denmark has the largest area.", "Denmark")
    assert judged("Norway: 323,802 sq km [1]. Norway has the largest area.", "Norway")


def test_another_name_of_a_page_stands_where_it_begins() -> None:
    """`Burma` is the subject of a page titled Myanmar that says so at its beginning."""
    text = f"Myanmar, also known as Burma. {'It has many rivers. ' * 30}The capital of Myanmar is Naypyidaw."
    read = [("capital of Burma", Passage("u", "Myanmar", "The capital of Myanmar is Naypyidaw.", 1))]
    page = Page("u", "u", "Myanmar", text)
    assert support("Naypyidaw", "The capital of Burma is Naypyidaw [1].", "?", read, {"u": page}.get).supported
    assert not support("Naypyidaw", "The capital of Laos is Naypyidaw [1].", "?", read, {"u": page}.get).supported


SPAIN = "Spain is a kingdom.\n\n## Geography\n\nBorders: Andorra 63 km; France 646 km.\n\nCoastline: 4,964 km."
CAPITALS = "A list.\n\n| Country | Capital |\n|---|---|\n| Andorra | Andorra la Vella |"


def _judged(answer: str, explanation: str, query: str, title: str, text: str) -> bool:
    cut = Passage("u", title, text.partition("\n\n")[2], 1)
    page = Page("u", "u", title, text)
    return support(answer, explanation, f"{query}?", [(query, cut)], {"u": page}.get).supported


def test_a_neighbours_page_says_only_what_a_sentence_of_it_says() -> None:
    """Spain's coastline is not Andorra's because Andorra stands beside it; nor is a border a coastline."""
    assert not _judged("4,964 km", "Andorra: 4,964 km [1].", "coastline of Andorra", "Spain", SPAIN)
    assert not _judged("63 km", "Andorra: 63 km [1].", "coastline of Andorra", "Spain", SPAIN)
    assert not _judged("Spain", "Andorra has a capital of Spain [1].", "capital of Andorra", "Spain", SPAIN)
    assert _judged("4,964 km", "Spain: 4,964 km [1].", "coastline of Spain", "Spain", SPAIN)
    assert _judged("63 km", "Andorra: 63 km [1].", "border of Spain and Andorra", "Spain", SPAIN)


def test_a_row_of_a_page_on_many_is_a_source() -> None:
    """A list of capitals is on none of its countries, and says the capital of each."""
    said = "Andorra: Andorra la Vella [1]."
    assert _judged("Andorra la Vella", said, "capital of Andorra", "Capitals of Europe", CAPITALS)


def test_a_name_as_its_own_value_needs_a_sentence_that_says_so() -> None:
    """Kuwait's page names Iran, and no capital of it; Gibraltar's says that the two are called alike."""
    kuwait = "Kuwait lies in Asia.\n\nKuwait borders 2 countries: Iran and Saudi Arabia."
    assert not _judged("Iran: Iran", "Iran: Iran [1].", "capital of Iran", "Kuwait", kuwait)
    iranians = "Kuwait lies in Asia.\n\nMany Iranians came to Kuwait from Iran."
    assert not _judged("Iran: Iran", "Iran: Iran [1].", "capital of Iran", "Kuwait", iranians)
    gibraltar = "A peninsula.\n\nThe capital of Gibraltar is Gibraltar."
    assert _judged("Gibraltar: Gibraltar", "Gibraltar: Gibraltar [1].", "capital of Gibraltar", "Gibraltar", gibraltar)


def test_half_a_name_is_another_name() -> None:
    """New Zealand's capital is not New Caledonia's."""
    text = "The capital of New Zealand is Wellington."
    assert not _judged("Wellington", "The capital of New Caledonia is Wellington [1].", "capital", "New Zealand", text)


def test_a_result_needs_every_number_it_was_made_from() -> None:
    """One number of another country, and neither the largest nor the sum is known."""
    pages = {
        title: Page(title, title, title, f"{title} has an area of {area}.")
        for title, area in (("Norway", "323,802"), ("Sweden", "450,295"), ("Latvia", "64,559"))
    }
    read = [
        (f"area of {asked}", Passage(title, title, pages[title].text, n))
        for n, (asked, title) in enumerate((("Norway", "Norway"), ("Sweden", "Sweden"), ("Estonia", "Latvia")), 1)
    ]

    def judged(answer: str, explanation: str) -> bool:
        return support(answer, explanation, "Which is larger?", read, pages.get).supported

    two = "Norway: 323,802 [1]. Sweden: 450,295 [2]."
    assert judged("Sweden", two)
    assert judged("774,097", two)
    assert not judged("Norway", "Norway: 999,802 [1]. Sweden: 450,295 [2].")  # the page has another number
    prose = "As they say: Norway has an area of some 323,802 square kilometres today [1]. Sweden: 450,295 [2]."
    assert judged("Sweden", prose)
    three = f"{two} Estonia: 64,559 [3]."
    assert not judged("Sweden", three)
    assert not judged("Sweden and Norway", three)
    assert not judged("838,656", three)
    assert judged("Norway: 323,802; Sweden: 450,295; Estonia: 64,559", three)  # a list is judged part by part
