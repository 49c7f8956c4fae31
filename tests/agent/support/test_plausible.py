"""Plausible wrong answers in several fields are not taken for right ones, and the right ones beside them are."""

from __future__ import annotations

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.types import Passage

MEDICINE = (
    "Who discovered insulin and penicillin?",
    [
        (
            "Insulin",
            "Insulin is a peptide hormone produced by beta cells of the pancreas. It was isolated in 1921 by Frederick Banting and Charles Best at the University of Toronto. In 1922 Leonard Thompson, a 14-year-old boy, became the first person to receive an injection.",
        ),
        (
            "Penicillin",
            "Penicillin was discovered by Alexander Fleming in 1928 at St Mary's Hospital in London. Howard Florey and Ernst Chain developed it into a drug. Fleming, Florey and Chain shared the Nobel Prize in 1945.",
        ),
    ],
)
PROGRAMMING = (
    "When were Rust and Go released?",
    [
        (
            "Rust (language)",
            "Rust 1.0 was released on May 15, 2015. Graydon Hoare began it in 2006 while working at Mozilla. The Rust Foundation was founded on 8 February 2021 by Amazon, Google, Huawei, Microsoft and Mozilla. The compiler is licensed under MIT and Apache 2.0.",
        ),
        (
            "Go (language)",
            "Go was designed at Google by Robert Griesemer, Rob Pike and Ken Thompson. It was announced in November 2009, and version 1.0 came in March 2012. Go is licensed under BSD.",
        ),
    ],
)
COMPANIES = (
    "Revenue of Apple and Samsung in 2022",
    [
        (
            "Apple Inc.",
            "Apple reported revenue of $394.3 billion in fiscal 2022, up 8 % from $365.8 billion in 2021. Net income was $99.8 billion. Tim Cook has been chief executive since August 2011. The company has 164,000 employees.",
        ),
        (
            "Samsung",
            "Samsung Electronics had sales of 302.2 trillion won in 2022. It employs 270,372 people. Han Jong-hee is vice chairman.",
        ),
    ],
)
BATTLES = (
    "When was the battle of Waterloo?",
    [
        (
            "Battle of Waterloo",
            "The Battle of Waterloo was fought on 18 June 1815 near Waterloo, in present-day Belgium. The French army of Napoleon was defeated by the armies of the Duke of Wellington and of Gebhard von Blücher. About 47,000 men were killed or wounded.",
        ),
        (
            "Battle of Austerlitz",
            "The Battle of Austerlitz took place on 2 December 1805. Napoleon defeated the armies of Russia and Austria.",
        ),
    ],
)


def _levels(field: tuple[str, list[tuple[str, str]]], message: str) -> list[bool]:
    query, pages = field
    passages = [Passage(f"https://p{n}.example", title, text, n) for n, (title, text) in enumerate(pages, 1)]
    return [support.weak for support in attribute(message, query, [(query, passage) for passage in passages])]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (MEDICINE, 'Insulin was isolated in 1921 by Alexander Fleming [1].'),
        (MEDICINE, 'Penicillin was discovered by Frederick Banting in 1928 [2].'),
        (MEDICINE, 'Insulin was isolated in 1928 by Banting and Best [1].'),
        (MEDICINE, 'Penicillin was discovered by Howard Florey in 1928 [2].'),
        (MEDICINE, 'Leonard Thompson isolated insulin in 1921 [1].'),
        (MEDICINE, 'Insulin is produced by alpha cells of the pancreas [1].'),
        (MEDICINE, 'Penicillin was discovered in Toronto in 1928 [2].'),
        (MEDICINE, 'Leonard Thompson was 41 years old [1].'),
        (MEDICINE, 'Fleming, Florey and Best shared the Nobel Prize in 1945 [2].'),
        (MEDICINE, 'Insulin was not isolated in 1921 [1].'),
        (PROGRAMMING, 'Rust 1.0 came out in March 2012 [1].'),
        (PROGRAMMING, 'Go 1.0 was released on May 15, 2015 [2].'),
        (PROGRAMMING, 'Rob Pike started Rust in 2006 [1].'),
        (PROGRAMMING, 'The Rust Foundation was founded in 2009 [1].'),
        (PROGRAMMING, 'Go is licensed under MIT [2].'),
        (PROGRAMMING, 'Graydon Hoare designed Go at Google [2].'),
        (PROGRAMMING, 'Rust: March 2012; Go: May 2015'),
        (PROGRAMMING, 'The Rust Foundation was founded by Amazon, Google, Apple and Mozilla [1].'),
        (PROGRAMMING, 'Rust 2.0 was released on May 15, 2015 [1].'),
        (COMPANIES, "Apple's revenue rose by 18 percent in 2022 [1]."),
        (COMPANIES, 'Apple had revenue of €394.3 billion in 2022 [1].'),
        (COMPANIES, 'Samsung employs 164,000 people [2].'),
        (COMPANIES, 'Tim Cook has led Samsung since August 2011 [2].'),
        (COMPANIES, 'Apple had revenue of $394.3 million in 2022 [1].'),
        (COMPANIES, 'Apple employs 270,372 people [1].'),
        (COMPANIES, 'Han Jong-hee has been chief executive of Apple since 2011 [1].'),
        (COMPANIES, 'Samsung employs 116,372 more people than Apple: 270,372 [2] − 164,000 [1] = 116,372.'),
        (BATTLES, 'The Battle of Waterloo was on 2 December 1805 [1].'),
        (BATTLES, 'The Battle of Waterloo was on 18 July 1815 [1].'),
        (BATTLES, 'Napoleon defeated Wellington and Kutuzov at Waterloo [1].'),
        (BATTLES, 'About 74,000 men were killed or wounded at Waterloo [1].'),
        (BATTLES, 'The Battle of Austerlitz took place on 18 June 1815 [2].'),
        (BATTLES, 'Waterloo lies in present-day France [1].'),
    ],
)  # fmt: skip
def test_a_plausible_wrong_answer_is_weak(field: tuple[str, list[tuple[str, str]]], message: str) -> None:
    """Values, names and roles of one thing said of another are no ground, though each stands in a page read."""
    assert any(_levels(field, message))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (MEDICINE, 'Insulin was isolated in 1921 by Banting and Best [1].'),
        (MEDICINE, 'Alexander Fleming discovered penicillin in 1928 [2].'),
        (MEDICINE, 'The first person to get an insulin injection was Leonard Thompson in 1922 [1].'),
        (MEDICINE, 'Fleming shared the 1945 Nobel Prize with Florey and Chain [2].'),
        (MEDICINE, 'Penicillin was found seven years after insulin was isolated: 1928 − 1921 = 7.'),
        (PROGRAMMING, 'Rust 1.0 came out on 15 May 2015 [1].'),
        (PROGRAMMING, 'Graydon Hoare started Rust in 2006 [1].'),
        (PROGRAMMING, 'Go 1.0 was released in March 2012 [2].'),
        (PROGRAMMING, 'Rob Pike, Ken Thompson and Robert Griesemer designed Go at Google [2].'),
        (PROGRAMMING, 'The Rust Foundation has five founders: Amazon, Google, Huawei, Microsoft and Mozilla [1].'),
        (PROGRAMMING, '| Language | 1.0 |\n|---|---|\n| Rust | 2015-05-15 [1] |\n| Go | March 2012 [2] |'),
        (COMPANIES, 'Apple had revenue of 394.3 billion dollars in 2022 [1].'),
        (COMPANIES, "Apple's revenue rose by 8 percent in 2022 [1]."),
        (COMPANIES, 'Samsung employs about 270,000 people [2].'),
        (COMPANIES, 'Tim Cook became chief executive in August 2011 [1].'),
        (COMPANIES, 'Samsung employs 106,372 more people than Apple: 270,372 [2] − 164,000 [1] = 106,372.'),
        (COMPANIES, 'Apple earned $99.8bn net [1].'),
        (BATTLES, 'The Battle of Waterloo was on 18 June 1815 [1].'),
        (BATTLES, 'Wellington and Blücher defeated Napoleon at Waterloo [1].'),
    ],
)  # fmt: skip
def test_the_right_answer_beside_it_is_not(field: tuple[str, list[tuple[str, str]]], message: str) -> None:
    """The same pages are a ground for what they say in other words."""
    assert not any(_levels(field, message))
