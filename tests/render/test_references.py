"""BibTeX, CSL-JSON and RIS of an answer's sources."""

from __future__ import annotations

import json
import re
import time

import pytest

from hds_cli.events import RunFinished
from hds_cli.render.references import references, to_bibtex, to_csl, to_ris
from hds_cli.render.report import render
from hds_cli.run_state import RunState
from hds_cli.types import Citation

# The fields of an item in the schema of the Citation Style Language, those that are used here.
CSL_FIELDS = {"id", "type", "title", "author", "issued", "accessed", "container-title", "DOI", "URL", "source"}
HOSTILE = "50 % of {it} \\input{/etc/passwd} $x_1$ & #2 ~^ @article{evil, \x1b]0;x\x07\nER  - \nTY  - BOOK \u202eend} }"


def run(*citations: Citation) -> RunState:
    """A run that ended with these sources."""
    return RunState.of([RunFinished(status="answered", answer="x", explanation=None, citations=citations)])


def source(n: int = 1, url: str = "https://www.example.org/tides", title: str = "Tides", **more: object) -> Citation:
    return Citation(n, url, title, "q", True, "2026-11-25T08:00:00Z", **more)  # type: ignore[arg-type]


def test_a_web_page_has_title_author_date_address_and_day_of_access() -> None:
    """What the page says, in each format."""
    state = run(source(author="Ada Lovelace and Charles Babbage", date="1843-09-04"))
    assert to_bibtex(state) == (
        "@misc{lovelace1843,\n  author = {Ada Lovelace and Charles Babbage},\n  title = {{Tides}},\n  year = {1843},\n"
        "  howpublished = {example.org},\n  url = {https://www.example.org/tides},\n  urldate = {2026-11-25},\n"
        "  month = sep,\n}"
    )
    assert json.loads(to_csl(state)) == [{
        "id": "lovelace1843", "type": "webpage", "title": "Tides",
        "author": [{"literal": "Ada Lovelace"}, {"literal": "Charles Babbage"}],
        "issued": {"date-parts": [[1843, 9, 4]]}, "accessed": {"date-parts": [[2026, 11, 25]]},
        "container-title": "example.org", "URL": "https://www.example.org/tides",
    }]  # fmt: skip
    assert to_ris(state).splitlines() == [
        "TY  - ELEC", "TI  - Tides", "AU  - Ada Lovelace", "AU  - Charles Babbage", "PY  - 1843", "DA  - 1843/09/04/",
        "PB  - example.org", "UR  - https://www.example.org/tides", "Y2  - 2026/11/25/", "ID  - lovelace1843", "ER  - ",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "doi"),
    [
        ("https://doi.org/10.1000/xyz123", "10.1000/xyz123"),
        ("https://doi.org/10.1002/(SICI)1097%3C1::AID%3E3.0.CO;2-7", "10.1002/(SICI)1097<1::AID>3.0.CO;2-7"),
        ("https://journals.example/doi/full/10.1038/nphys1170.pdf", "10.1038/nphys1170"),
        ("https://arxiv.org/abs/2508.19113v2", "10.48550/arXiv.2508.19113"),
        ("https://arxiv.org.evil.test/abs/2508.19113", ""),
        ("https://example.org/version/10.2/notes", ""),
        ("local://notes/10.1000/xyz", ""),
    ],
)
def test_a_doi_is_read_from_the_address(url: str, doi: str) -> None:
    """From the resolver's, a publisher's and arXiv's addresses; a number that looks like one is none."""
    (one,) = references(run(source(url=url)))
    assert one.doi == doi


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Lovelace, Ada", ("Lovelace, Ada",)),
        ("Ada Lovelace, Alan Turing, Grace Hopper", ("Ada Lovelace", "Alan Turing", "Grace Hopper")),
        ("Lovelace, Ada; Turing, Alan", ("Lovelace, Ada", "Turing, Alan")),
        ("By 村上春樹", ("村上春樹",)),
        ("Ada Lovelace, Alan Turing and others", ("Ada Lovelace", "Alan Turing")),
        ("", ()),
    ],
)
def test_a_line_of_authors_is_names(said: str, names: tuple[str, ...]) -> None:
    """Inverted names stay whole; several are told apart."""
    (one,) = references(run(source(author=said)))
    assert one.authors == names


def test_a_hostile_title_stays_a_title() -> None:
    """No entry, tag, command or control character gets out of it; braces of BibTeX stay in balance."""
    state = run(source(title=HOSTILE, author=HOSTILE, date="2024-13-99", url="https://x.example/a}{b\\c d%25#_"))
    tex, csl, ris = to_bibtex(state), to_csl(state), to_ris(state)
    assert re.findall(r"^@", tex, re.M) == ["@"]
    assert tex.count("{") == tex.count("}")
    depth = 0
    for letter in tex[tex.index("{") : -1]:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth > 0
    assert "\\input" not in tex
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", tex + ris)
    assert [line[:2] for line in ris.splitlines()].count("ER") == 1
    (item,) = json.loads(csl)
    assert item["issued"] == {"date-parts": [[2024]]}
    assert item.keys() <= CSL_FIELDS


def test_keys_are_plain_and_each_is_once() -> None:
    """Whatever the sources are called; one page is one source."""
    many = [source(n, f"https://example.org/{n}", "港の潮") for n in range(1, 40)]
    state = run(*many, source(40, "https://example.org/1", "again"), source(41, "stdin", ""))
    keys = [one.key for one in references(state)]
    assert len(keys) == len(set(keys)) == 40
    assert all(re.fullmatch(r"[a-z0-9-]+", key) for key in keys)
    assert "港の潮" in to_bibtex(state)


def test_a_run_without_sources_is_an_empty_list() -> None:
    """Nothing to cite: valid documents all the same."""
    assert (render("bibtex", ()), json.loads(render("csl-json", ())), render("ris", ())) == ("", [], "")


def test_long_fields_take_no_longer() -> None:
    """A title, an author and an address of any length are written in a moment."""
    began = time.process_time()
    for text in ("a, b; " * 30_000, "10.1000/" * 30_000, "and " * 30_000, "{" * 100_000):
        state = run(source(title=text, author=text, url=f"https://example.org/{text}"))
        to_bibtex(state), to_csl(state), to_ris(state)
    assert time.process_time() - began < 3
