"""A comparison of two figures is computed: each stands in a page beside its name, and the word is true of them."""

from __future__ import annotations

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.agent.support.comparatives import direction
from hds_cli.types import Passage, Support

BORDERS = (
    "Which has the longer land border, Zambia or Malawi, and which of Norway and Chile has more coast?",
    ("Zambia", "Zambia lies in southern Africa.\n\nLand boundaries: total: 5,664 km\n\nCoastline: 0 km (landlocked)"),
    ("Malawi", "Malawi lies in southern Africa.\n\nLand boundaries: total: 2,881 km\n\nCoastline: 0 km (landlocked)"),
    ("Norway", "Norway is a kingdom in northern Europe. Its coastline is 25,148 km long."),
    ("Chile", "Chile is a republic in South America. Its coastline is 6,435 km long."),
)
RIVERS = (
    "Is the Rhine longer than the Elbe?",
    ("Rhine", "The Rhine is one of the major rivers in Europe. It is 1,230 km long."),
    ("Elbe", "The Elbe rises in the Giant Mountains. It is 1,094 km long."),
)
FIRMS = (
    "Which company is older and which employs more people, Harlan Glass or Kelmar Steel?",
    (
        "Harlan Glass",
        "Harlan Glass was founded in 1872 and employs 4,100 people. Its revenue was $2.1 billion in 2022.",
    ),
    (
        "Kelmar Steel",
        "Kelmar Steel was founded in 1917. It employs 5,300 people. Its revenue was $1.9 billion in 2022.",
    ),
)
DRUGS = (
    "Which drug has the longer half-life, naproxen or ibuprofen?",
    (
        "Naproxen",
        "Naproxen is an anti-inflammatory drug. Its elimination half-life is 12 to 17 hours; the dose is 500 mg.",
    ),
    ("Ibuprofen", "Ibuprofen is an anti-inflammatory drug. Its half-life is 2 to 4 hours; a dose is 400 mg."),
)
ATHLETES = (
    "Who ran the 100 m faster, Ada Holt or Mia Krahe?",
    ("Ada Holt", "Ada Holt is a sprinter. Her best time over 100 m is 10.94 seconds."),
    ("Mia Krahe", "Mia Krahe is a sprinter. Her best time over 100 m is 11.21 seconds."),
)
BRIDGES = (
    "Welche Brücke ist länger, die Zaltbrücke oder die Ostbrücke?",
    ("Zaltbrücke", "Die Zaltbrücke steht in Kelmar. Sie ist 412 m lang und wurde 1951 eröffnet."),
    ("Ostbrücke", "Die Ostbrücke steht in Harlan. Sie ist 388 m lang und wurde 1963 eröffnet."),
)
LIBRARIES = (
    "Which JSON library is faster and smaller, Swiftjson or Oxparse?",
    ("Swiftjson", "Swiftjson parses 1,200 MB per second. The package has a size of 310 KB and 48,000 downloads a day."),
    ("Oxparse", "Oxparse parses 950 MB per second. The package has a size of 190 KB and 61,000 downloads a day."),
)


def _graded(message: str, question: str, *pages: tuple[str, str]) -> tuple[Support, ...]:
    passages = [Passage(f"https://p{n}.example", title, text, n) for n, (title, text) in enumerate(pages, 1)]
    return attribute(message, question, [(question, passage) for passage in passages])


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (BORDERS, "Zambia's border is longer: 5,664 km against 2,881 km."),
        (BORDERS, "Zambia's border is longer: 5,664 km against 2,881 km [1][2]."),
        (BORDERS, "Malawi's border is shorter: 2,881 km against 5,664 km."),
        (BORDERS, "Zambia has the longer border (5,664 km vs. 2,881 km)."),
        (BORDERS, "Zambia has the longer land border, with 5,664 km compared to 2,881 km for Malawi."),
        (BORDERS, "With 5,664 km, Zambia's land border is longer than that of Malawi, which is 2,881 km."),
        (BORDERS, "Zambia's land border (5,664 km) is longer than Malawi's (2,881 km)."),
        (BORDERS, "Norway has the longer coast: 25,148 km of coast against 6,435 km."),
        (BORDERS, "25,148 km of coast against 6,435 km"),
        (BORDERS, "Norway, with 25,148 km of coastline against 6,435 km."),
        (BORDERS, "Norway: 25,148 km of coast against Chile's 6,435 km"),
        (BORDERS, "Zambia's border is longer by 2,783 km: 5,664 km against 2,881 km."),
        (RIVERS, "Yes, the Rhine is longer: 1,230 km against 1,094 km."),
        (RIVERS, "The Rhine, at 1,230 km, is longer than the Elbe at 1,094 km [1][2]."),
        (RIVERS, "The Elbe is shorter than the Rhine: 1,094 km against 1,230 km."),
        (FIRMS, "Harlan Glass is older: 1872 against 1917."),
        (FIRMS, "Harlan Glass is the older company, founded in 1872, compared with 1917 for Kelmar Steel."),
        (FIRMS, "Kelmar Steel was founded later, in 1917 against 1872."),
        (FIRMS, "Kelmar Steel employs more people: 5,300 against 4,100."),
        (FIRMS, "Harlan Glass has the higher revenue: $2.1 billion against $1.9 billion."),
        (FIRMS, "The one of 1872 has the higher revenue, $2.1 billion against $1.9 billion for Kelmar Steel."),
        (DRUGS, "A dose of naproxen is larger: 500 mg against 400 mg."),
        (DRUGS, "Naproxen has the higher dose: 500 mg versus 400 mg for ibuprofen."),
        (ATHLETES, "Ada Holt ran faster: 10.94 seconds against 11.21 seconds."),
        (ATHLETES, "Mia Krahe was slower, with 11.21 seconds against 10.94 seconds."),
        (BRIDGES, "Die Zaltbrücke ist länger: 412 m gegenüber 388 m."),
        (BRIDGES, "Die Ostbrücke ist kürzer als die Zaltbrücke: 388 m gegen 412 m."),
        (LIBRARIES, "Swiftjson is faster: 1,200 MB against 950 MB per second."),
        (LIBRARIES, "Oxparse is smaller (190 KB vs 310 KB)."),
        (LIBRARIES, "Oxparse has more downloads: 61,000 against 48,000."),
    ],
)
def test_a_right_comparison_is_computed(case: tuple[str, ...], message: str) -> None:
    """With both figures quoted, whether one name stands there, both, or none where the question has them."""
    (support,) = _graded(message, *case)  # type: ignore[arg-type]
    assert support.level in ("computed", "quoted", "together"), support
    assert len(support.quotes) == 2, support.quotes


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (BORDERS, "Zambia's border is shorter: 5,664 km against 2,881 km."),
        (BORDERS, "Malawi's border is longer: 2,881 km against 5,664 km [2]."),
        (BORDERS, "Malawi has the longer land border, with 2,881 km compared to 5,664 km for Zambia."),
        (BORDERS, "Zambia's land border (5,664 km) is shorter than Malawi's (2,881 km)."),
        (RIVERS, "The Rhine, at 1,230 km, is shorter than the Elbe at 1,094 km [1][2]."),
        (FIRMS, "Kelmar Steel is older: 1917 against 1872."),
        (FIRMS, "Harlan Glass was founded later, in 1872 against 1917."),
        (FIRMS, "Kelmar Steel employs fewer people: 5,300 against 4,100."),
        (FIRMS, "Kelmar Steel has the higher revenue: $1.9 billion against $2.1 billion."),
        (FIRMS, "The one of 1872 has the lower revenue, $2.1 billion against $1.9 billion for Kelmar Steel."),
        (ATHLETES, "Mia Krahe ran faster: 11.21 seconds against 10.94 seconds."),
        (BRIDGES, "Die Ostbrücke ist länger: 388 m gegenüber 412 m."),
        (LIBRARIES, "Swiftjson is slower: 1,200 MB against 950 MB per second."),
    ],
)
def test_a_comparison_that_its_figures_deny_is_contradicted(case: tuple[str, ...], message: str) -> None:
    """Both figures stand beside their names, and the word is false of them."""
    (support,) = _graded(message, *case)  # type: ignore[arg-type]
    assert (support.level, len(support.quotes)) == ("contradicted", 2), support


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (BORDERS, "Malawi's border is longer: 5,664 km against 2,881 km."),
        (BORDERS, "Malawi has the longer land border, with 5,664 km compared to 2,881 km for Zambia."),
        (BORDERS, "Zambia's border is longer: 5,664 km against 1,881 km."),
        (BORDERS, "Zambia's border is longer: 9,664 km against 2,881 km."),
        (BORDERS, "Chile has the longer coast: 25,148 km of coast against 6,435 km."),
        (BORDERS, "25,148 km of coast against 7,435 km"),
        (RIVERS, "The Elbe, at 1,230 km, is longer than the Rhine at 1,094 km."),
        (FIRMS, "Kelmar Steel is older: 1872 against 1917."),
        (FIRMS, "Kelmar Steel has the higher revenue: $2.1 billion against $1.9 billion."),
        (FIRMS, "Harlan Glass employs more people: 5,300 against 4,100."),
        (ATHLETES, "Mia Krahe ran faster: 10.94 seconds against 11.21 seconds."),
        (LIBRARIES, "Oxparse has more downloads: 48,000 against 31,000."),
    ],
)
def test_a_comparison_with_a_figure_of_another_name_is_weak(case: tuple[str, ...], message: str) -> None:
    """Figures that are exchanged, or that stand nowhere."""
    (support,) = _graded(message, *case)  # type: ignore[arg-type]
    assert support.weak, support


@pytest.mark.parametrize(
    "message",
    [
        "Kelmar Steel employs 5,300 people, fewer than in 2010, and Harlan Glass 4,100.",
        "Harlan Glass was founded in 1872 and Kelmar Steel, in its later years, in 1917.",
        "Harlan Glass (4,100 people) is not smaller than Kelmar Steel (5,300 people).",
        "Kelmar Steel, at number 5,300, stands lower than Harlan Glass at number 4,100.",
    ],
)
def test_what_compares_something_else_is_not_contradicted(message: str) -> None:
    """A word that is said of another time or thing, one that is denied, a place in an order."""
    assert all(support.level != "contradicted" for support in _graded(message, *FIRMS))


def test_a_second_figure_without_a_name_is_not_contradicted() -> None:
    """Where neither the question nor a like sentence says whose it is, the two stand apart."""
    pages = (
        (
            "Norway",
            "Norway is a kingdom. The coast of Norway is 25,148 km long; the coast of its islands is 58,133 km.",
        ),
        ("Chile", "### Coastline\n\n6,435 km"),
    )
    (support,) = _graded("Norway has a coast of 25,148 km against 6,435 km.", "How long is it?", *pages)
    assert support.level == "apart", support


@pytest.mark.parametrize(
    ("text", "kind", "sign"),
    [
        ("plus long que l'autre", "size", 1), ("plus ancien", "age", 1), ("moins récent", "age", 1), ("más joven", "age", -1),
        ("menos habitantes", "size", -1), ("die längere Brücke", "size", 1), ("more recent", "age", -1), ("slower", "speed", -1),
    ],
)  # fmt: skip
def test_words_that_compare(text: str, kind: str, sign: int) -> None:
    """In several languages, with the adjective behind the degree."""
    found = direction(text)
    assert found is not None
    assert (found.kind, found.sign) == (kind, sign)
    assert direction("more than 2,000 of them") is None
