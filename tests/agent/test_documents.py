"""Documents that came along with the question: whole where there is room, else their outline, beginning and best."""

from __future__ import annotations

from hds_cli.agent.documents import OUTLINE, excerpt, whole
from hds_cli.agent.evidence import Evidence
from hds_cli.agent.selectors.base import Budget
from hds_cli.types import Page


def words(text: str) -> int:
    return len(text.split())


def lease(sections: int) -> Page:
    """A lease: a section a clause, each of about a hundred words."""
    clauses = []
    for n in range(sections):
        said = [f"Clause{n} sentence{k} binds tenant{n} and owner{k} in matter{n * k}." for k in range(12)]
        said[5] = "Either side may end the lease with ninety days of notice." if n == sections - 3 else said[5]
        clauses.append(f"## Clause {n}\n\n" + " ".join(said))
    return Page("stdin", "stdin", "stdin", "\n\n".join(clauses), "cached")


def test_a_document_that_fits_is_read_whole_and_in_order() -> None:
    """Not a word of it is missing."""
    page = lease(12)
    passages = whole(page, Budget(4000, count=words))
    assert passages is not None
    text = " ".join(f"## {p.heading}\n\n{p.text}" for p in passages)
    assert text.split() == page.text.split()


def test_of_a_longer_one_outline_beginning_and_best_are_read_in_its_order() -> None:
    """The clause that was asked for is among them, though it stands near the end."""
    page = lease(60)
    budget = Budget(1500, words=100, count=words)
    assert whole(page, budget) is None
    outline, first, *rest = excerpt(page, "With how many days of notice can the lease be ended?", budget)
    assert (outline.heading, outline.text.split("\n")[0]) == (OUTLINE, "## Clause 0")
    assert first.text.startswith("Clause0 sentence0")
    assert any("ninety days" in p.text for p in rest)
    places = [page.text.index(p.text) for p in (first, *rest)]
    assert places == sorted(places)
    assert sum(map(budget.price, (outline, first, *rest))) <= 1500


def test_a_summary_is_made_from_all_parts_of_a_document() -> None:
    """Where the question names nothing in it, passages are taken evenly."""
    page = lease(60)
    passages = excerpt(page, "Summarise this.", Budget(1500, words=100, count=words))
    places = [page.text.index(p.text) / len(page.text) for p in passages if p.heading != OUTLINE]
    assert min(places) < 0.01
    assert max(b - a for a, b in zip(places, [*places[1:], 1.0], strict=True)) < 0.3


def test_what_is_left_out_is_said() -> None:
    """And a document that is read whole has nothing to say."""
    evidence = Evidence("q", words)
    assert evidence.attach("q", lease(3), Budget(4000)).left_out == ""
    assert "% is read" in evidence.attach("q", lease(60), Budget(1500)).left_out
    assert "% is read" in evidence.attach("notice of the lease", lease(60), Budget(300)).left_out


def test_megabytes_cost_no_counting() -> None:
    """A document that cannot fit is not given to the tokenizer as a whole."""
    counted = []

    def count(text: str) -> int:
        counted.append(len(text))
        return len(text.split())

    page = Page("u", title="Log", status="cached", text="line of a log\n" * 300_000)
    Evidence("q", count).attach("which line", page, Budget(2000))
    assert sum(counted) < 200_000
